// node test/checks/terraform/provider/serve-stub.ts COMMAND ARGS…: runs any terraform command by hand against the stub.

import { spawn } from 'node:child_process'
import { startProviderStub } from './provider-stub.ts'
import { readAwsSchema } from './schema.ts'

const [command = 'terraform', ...args] = process.argv.slice(2)
const stub = await startProviderStub(readAwsSchema())
const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...stub.env } })
child.on('exit', (code, signal) => {
  stub.stop()
  process.exitCode = signal === null ? (code ?? 1) : 1
})
