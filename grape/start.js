'use strict'

/**
 * Starts one upstream Grape from the environment, with the settings that matter to a network of peers.
 *
 * GRAPE_BOOTSTRAP  the other Grapes, "host:port,host:port", by service name; never this Grape itself
 * GRAPE_DHT_PORT   UDP port of the DHT, 20001 by default
 * GRAPE_API_PORT   TCP port of the HTTP API, 30001 by default
 *
 * Rule: no host to bind to. Grape would list its own announces under that address and poison every lookup.
 */

const { Grape } = require('grenache-grape')

// A restarted Grape comes back with a new id. A walk through the old table asks each address only once, under the
// old id, and may miss it for minutes; a bootstrap query carries no id and gets through, once for each time listed.
const TIMES_LISTED = 5

const settings = {
  dht_port: Number(process.env.GRAPE_DHT_PORT || 20001),
  api_port: Number(process.env.GRAPE_API_PORT || 30001),
  dht_bootstrap: bootstrap(process.env.GRAPE_BOOTSTRAP || ''),
  dht_peer_maxAge: 30000, // ms; a dead peer is listed for one to two times this
  dht_nodeLiveness: 60000, // ms; bounds how long a dead Grape slows the lookups
  check_maxPayloadSize: 8192 // bytes of one API call
}

function bootstrap (list) {
  const others = list.split(',').map(entry => entry.trim()).filter(Boolean)
  if (others.length === 0) {
    console.error('grape: GRAPE_BOOTSTRAP names no other Grape; a Grape alone can store nothing ("host:port,host:port")')
    process.exit(2)
  }
  return Array.from({ length: TIMES_LISTED }).flatMap(() => others)
}

// Grape listens to no signal, and as process 1 of a container it would not even die of one.
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0))

const grape = new Grape(settings)
grape.start(error => {
  if (error) throw error
  console.log(`grape: DHT on udp ${settings.dht_port}, HTTP API on tcp ${settings.api_port}`)
})
