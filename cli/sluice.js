#!/usr/bin/env node
// The `sluice` command. It needs only Node 20: it sets the project up where needed and hands over to cli/main.ts on the
// project's own Node 24, with the same arguments and the same standard streams. It ends as that process ended.

import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureSetUp, projectNode } from './setup.js'

const folder = dirname(fileURLToPath(import.meta.url))
const root = dirname(folder)

if (await ensureSetUp(root)) handOver()
else process.exitCode = 1

function handOver() {
  const child = spawn(projectNode(root), [join(folder, 'main.ts'), ...process.argv.slice(2)], { stdio: 'inherit' })

  // A terminal sends these to the whole foreground group, so the child has its own; a second one would mean “at once”.
  const fromTerminal = new Set(
    process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY ? ['SIGINT', 'SIGHUP', 'SIGQUIT'] : [],
  )
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']
  for (const signal of signals) process.on(signal, () => void (fromTerminal.has(signal) || child.kill(signal)))

  child.on('error', (error) => {
    process.stderr.write(`sluice: ${projectNode(root)} cannot be run: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    for (const name of signals) process.removeAllListeners(name)
    process.kill(process.pid, signal)
  })
}
