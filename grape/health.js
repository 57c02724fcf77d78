'use strict'

/**
 * Exits 0 when the Grape on this host answers its HTTP API.
 *
 * Rule: the lookup names nothing, so the answer comes at once. A real name would be looked for in the whole DHT,
 * which takes two seconds while another Grape is down: a fault of that one, not of this one.
 */

const http = require('http') // not fetch, which takes three times as long to load

const port = process.env.GRAPE_API_PORT || 30001
const request = http.request({ host: '127.0.0.1', port, path: '/lookup', method: 'POST', timeout: 1000 }, answer => {
  let body = ''
  answer.on('data', chunk => { body += chunk })
  answer.on('end', () => process.exit(body === '"ERR_GRAPE_LOOKUP"' ? 0 : 1))
})
request.on('timeout', () => process.exit(1))
request.on('error', () => process.exit(1))
request.end('{}')
