// A parent for guarded-child.test.ts: starts a long sleep, tells its pid, and waits to be killed.

import { spawnGuarded } from '../../../local/guard/index.ts'

const child = await spawnGuarded({
  file: '/bin/sleep',
  args: ['300'],
  env: {},
  stopSignal: 'SIGTERM',
})
process.stdout.write(`${child.pid}\n`)
