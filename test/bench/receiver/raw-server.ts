// The floor: node:http, the body read and parsed, nothing checked.

import { createServer } from 'node:http'
import { announce } from './announce.ts'

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    JSON.parse(Buffer.concat(chunks).toString('utf8'))
    response.writeHead(204)
    response.end()
  })
})
announce(server)
