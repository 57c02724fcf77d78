'use strict'

// A client of the Node.js implementation: node client.js <grape url>. Each line of stdin is one call, {id, key,
// payload, options}, begun at once; each line of stdout is one answer, {id, error, result}, in the order they come.
// A call with {map: true} asks every worker.

const readline = require('readline')
const { PeerRPCClient } = require('grenache-nodejs-http')
const Link = require('grenache-nodejs-link')

const link = new Link({ grape: process.argv[2] })
link.start()

const peer = new PeerRPCClient(link, {})
peer.init()

readline.createInterface({ input: process.stdin })
  .on('line', line => {
    const { id, key, payload, options, map } = JSON.parse(line)
    const answer = (error, result) => {
      console.log(JSON.stringify({ id, error: error ? error.message : null, result }))
    }
    peer[map ? 'map' : 'request'](key, payload, { timeout: 10000, ...options }, answer)
  })
  .on('close', () => process.exit(0))
