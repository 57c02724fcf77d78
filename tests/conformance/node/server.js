'use strict'

// A service of the Node.js implementation: node server.js <grape url> <name> <port>. Says "ready" once announced.
// It echoes the payload, but for {error}, which it refuses with that text, and {repeat}, a text of so many letters.

const { PeerRPCServer } = require('grenache-nodejs-http')
const Link = require('grenache-nodejs-link')

const [grape, name, port] = process.argv.slice(2)
const link = new Link({ grape })
link.start()

const peer = new PeerRPCServer(link, { timeout: 300000 })
peer.init()
const service = peer.transport('server')
service.listen(Number(port))

service.on('request', (rid, key, payload, handler) => {
  if (payload && payload.error) handler.reply(new Error(payload.error), null)
  else if (payload && Number.isInteger(payload.repeat)) handler.reply(null, 'x'.repeat(payload.repeat))
  else handler.reply(null, payload)
})

link.announce(name, service.port, {}, error => {
  if (error) throw error
  console.log('ready')
})

// Whoever started it holds the other end of stdin, so it cannot be left behind.
process.stdin.on('end', () => process.exit(0)).resume()
