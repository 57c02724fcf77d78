'use strict'

// The Node.js client under load: node client.js <grape url> <name>. Each line of stdin is "<in flight> <seconds>";
// each line of stdout is the number of calls that were answered in that time.

const readline = require('readline')
const { PeerRPCClient } = require('grenache-nodejs-http')
const Link = require('grenache-nodejs-link')

const [grape, name] = process.argv.slice(2)
const link = new Link({ grape })
link.start()
const peer = new PeerRPCClient(link, {})
peer.init()

const payload = { hello: 'x'.repeat(20) }

function call () {
  return new Promise((resolve, reject) => {
    peer.request(name, payload, { timeout: 10000 }, error => error ? reject(error) : resolve())
  })
}

async function measure (inFlight, seconds) {
  const until = process.hrtime.bigint() + BigInt(Math.round(seconds * 1e9))
  let calls = 0
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (process.hrtime.bigint() < until) {
      await call()
      calls++
    }
  }))
  return calls
}

async function main () {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [inFlight, seconds] = line.split(' ').map(Number)
    console.log(await measure(inFlight, seconds))
  }
  process.exit(0)
}

main()
