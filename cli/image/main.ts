// The one entry of the image: with arguments the `sluice` command (the migration Job runs `migrate`), without them the
// function that FUNCTION_TARGET names. In the image this file is /app/main.js and the bundles lie beside it.

import { existsSync } from 'node:fs'
import { environment } from '../environment.ts'

const [command] = process.argv.slice(2)
const target = environment['FUNCTION_TARGET'] ?? ''

if (command !== undefined) {
  await import(new URL('cli/main.js', import.meta.url).href)
} else {
  const file = new URL(`functions/${target}/main.js`, import.meta.url)
  if (/^[a-z][a-z0-9-]*$/.test(target) && existsSync(file)) {
    await import(file.href)
  } else {
    console.error(`FUNCTION_TARGET must be the name of a function of this image; it is '${target}'`)
    process.exitCode = 1
  }
}
