// Runs the stand-in function under a runner and tells its pid, for tests that kill the runner.

import { join } from 'node:path'
import { argv, execPath, stdout } from 'node:process'
import { allotPorts, createRunner } from '../../../local/runner/index.ts'
import { systemClock } from '../../../shared/time/index.ts'

const [port = 0] = await allotPorts(1)
const runner = createRunner(
  [
    {
      name: 'simple',
      function: 'simple',
      file: execPath,
      args: [join(import.meta.dirname, 'simple-function.ts')],
      env: { OPERATIONS_PORT: String(port) },
      cwd: import.meta.dirname,
      readyUrl: `http://127.0.0.1:${port}/ready`,
      logPath: join(argv[2] ?? '', 'simple.log'),
      stopWithinMs: 300,
      firstRunEnv: {},
    },
  ],
  { clock: systemClock, onEvent: () => undefined },
)
await runner.start(AbortSignal.timeout(10_000))
stdout.write(`pid ${runner.process('simple')?.pid() ?? 0}\n`)
