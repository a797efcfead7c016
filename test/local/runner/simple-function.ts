// A stand-in for a function: answers /ready on its operations port, and does what its environment asks.

import { createServer } from 'node:http'
import { env, exit, pid, stderr, stdout } from 'node:process'

const server = createServer((request, answer) => {
  if (env['NEVER_READY'] === 'true') answer.statusCode = 503
  answer.end(request.url === '/pid' ? String(pid) : 'ok')
})
process.on('SIGTERM', () => {
  if (env['STUBBORN'] === 'true') return
  stdout.write('stopping\n')
  exit(0)
})
if (env['FAILS'] === 'true') {
  stderr.write('PORT=abc: expected a whole number\n')
  exit(1)
}
server.listen(Number(env['OPERATIONS_PORT']), '127.0.0.1', () => stdout.write('listening\n'))
