// `npm run bench -- NAME`: runs a benchmark. Each prints what it measured and ends with plain lines of its results.

import { readdirSync } from 'node:fs'

const [name = '', ...args] = process.argv.slice(2)
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  .map((file) => file.slice(0, -'.ts'.length))

if (names.includes(name)) {
  const { bench } = (await import(`./${name}.ts`)) as { bench(args: readonly string[]): Promise<void> }
  await bench(args)
} else {
  console.error(`npm run bench -- NAME, where NAME is one of: ${names.join(', ')}`)
  process.exitCode = 2
}
