// `sluice <command>`: finds the command's file, runs it, and turns its end into an exit code.
// Runs on the project's Node 24; cli/sluice.js is the entry for users.

import { SluiceError } from '../shared/errors/index.ts'
import type { Command } from './command.ts'

// Lazy, so that `sluice options` does not load the platform.
const commands: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  start: () => import('./commands/start.ts'),
  chat: () => import('./commands/chat.ts'),
  send: () => import('./commands/send.ts'),
  options: () => import('./commands/options.ts'),
  migrate: () => import('./commands/migrate.ts'),
  topics: () => import('./commands/topics.ts'),
  seed: () => import('./commands/seed.ts'),
  record: () => import('./commands/record.ts'),
  replay: () => import('./commands/replay.ts'),
  simulate: () => import('./commands/simulate.ts'),
  'dead-letters': () => import('./commands/dead-letters.ts'),
  doctor: () => import('./commands/doctor.ts'),
  render: () => import('./commands/render.ts'),
  values: () => import('./commands/values.ts'),
  verify: () => import('./commands/verify.ts'),
  lanes: () => import('./commands/lanes.ts'),
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(await overview())
    return 0
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (load === undefined) {
    console.error(
      `sluice: there is no command '${name}'. The commands are ${Object.keys(commands).join(', ')}; see sluice --help.`,
    )
    return 2
  }
  const { command } = await load()
  if (args.includes('--help') || args.includes('-h')) {
    console.log(command.usage)
    return 0
  }
  try {
    return await command.run(args)
  } catch (error) {
    return explain(name, command, error)
  }
}

async function overview(): Promise<string> {
  const lines = await Promise.all(
    Object.entries(commands).map(async ([name, load]) => `  ${name.padEnd(12)} ${(await load()).command.summary}`),
  )
  return [
    'Usage: sluice <command> [options]',
    '',
    ...lines,
    '',
    'sluice <command> --help shows the options of one command.',
  ].join('\n')
}

function explain(name: string, command: Command, error: unknown): number {
  if (error instanceof SluiceError) {
    console.error(`sluice ${name}: ${error.message}`)
    return 1
  }
  if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')) {
    console.error(`sluice ${name}: ${error.message}\n\n${command.usage}`)
    return 2
  }
  console.error(error)
  return 1
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0) // `sluice options | head`
  throw error
})
process.exitCode = await main(process.argv.slice(2))
