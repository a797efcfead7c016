// The checks of `npm run check`. Each has its planted breach in checks.test.ts.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from './check.ts'
import { generators } from './generators.ts'
import { numberIn, script, tool } from './program.ts'

/** Everything that holds TypeScript; named, because a tool without a folder may read none. */
const sources = ['shared', 'functions', 'local', 'cli', 'test']

/** tsc prints the files it read as bare paths. */
const isListed = (line: string): boolean => /^\/.*\.[cm]?[jt]s$/.test(line)

const types: Check = {
  name: 'types (tsc)',
  least: 200,
  what: 'files',
  run: async (root) => {
    const { code, output } = await tool(root, 'tsc', ['--noEmit', '--pretty', 'false', '--listFiles'])
    const lines = output.split('\n')
    const own = lines.filter((line) => isListed(line) && !line.includes('/node_modules/'))
    return { passed: code === 0, read: own.length, output: lines.filter((line) => !isListed(line)).join('\n') }
  },
}

const lint: Check = {
  name: 'lint (oxlint)',
  least: 200,
  what: 'files',
  run: async (root) => {
    const { code, output } = await tool(root, 'oxlint', ['--type-aware', '--deny-warnings', ...sources])
    return { passed: code === 0, read: numberIn(output, /on (\d+) files? with/), output: inOneLineEach(output) }
  },
}

/** oxlint's own one-line format leaves out how many files it read. */
const inOneLineEach = (output: string): string => {
  const findings = [...output.matchAll(/^ *[x×] ([^\n]+)\n[^\n]*\[([^\]\n]+:\d+:\d+)\]/gm)]
  return findings.length === 0 ? output : findings.map(([, what, where]) => `${where}: ${what}`).join('\n')
}

const layers: Check = {
  name: 'layers (dependency-cruiser)',
  least: 200,
  what: 'modules',
  run: async (root) => {
    // The rules bind sources; of tests they say only that no source imports them.
    const folders = sources.filter((folder) => folder !== 'test')
    const { code, output } = await tool(root, 'depcruise', ['--config', '.dependency-cruiser.cjs', ...folders])
    // It advises an older TypeScript; swc reads the sources, and the number of modules proves it.
    const [findings = ''] = output.split('‼ missing-tsc-transpiler')
    return { passed: code === 0, read: numberIn(output, /(\d+) modules/), output: findings }
  },
}

const unused = (mode: readonly string[], name: string, least: number): Check => ({
  name,
  least,
  what: 'files',
  run: async (root) => {
    const reporters = ['--reporter', 'symbols', '--reporter', './test/checks/knip-count.ts']
    const { code, output } = await tool(root, 'knip', [...mode, '--no-progress', '--no-config-hints', ...reporters])
    return { passed: code === 0, read: numberIn(output, /knip read (\d+) files/), output }
  },
})

const format: Check = {
  name: 'format (oxfmt)',
  least: 200,
  what: 'files',
  run: async (root) => {
    const { code, output } = await tool(root, 'oxfmt', ['--check'])
    return {
      passed: code === 0,
      read: numberIn(output, /on (\d+) files? using/),
      output: `${output}\nnpm run format mends this.`,
    }
  },
}

const generated: Check = {
  name: 'generated files',
  least: 3,
  what: 'generators',
  run: async (root) => {
    const present = generators.filter(({ command }) => existsSync(join(root, command[0])))
    const runs = await Promise.all(present.map(({ command }) => script(root, [...command, '--check'])))
    const failed = runs.flatMap(({ code, output }, at) =>
      code === 0 ? [] : [`${output.trimEnd()}\nnode ${present[at]?.command.join(' ')} mends this.`],
    )
    return { passed: failed.length === 0, read: present.length, output: failed.join('\n') }
  },
}

const architecture: Check = {
  name: 'architecture',
  least: 8,
  what: 'rules',
  run: async (root) => {
    const options = ['--disable-warning=ExperimentalWarning', '--test', '--test-reporter=spec']
    const { code, output } = await script(root, [...options, 'test/architecture/*.test.ts'])
    const [, failures = output] = output.split('failing tests:')
    return { passed: code === 0, read: numberIn(output, /tests (\d+)/), output: failures }
  },
}

/** Dependencies, data and caches are not ours, and .gitignore names them. */
const everywhere = ['*', '.*', '.ci/**', '{cli,docs,functions,infra,knative,local,schemas,shared,test}/**']

const secrets: Check = {
  name: 'secrets (secretlint)',
  least: 500,
  what: 'files',
  run: async (root) => {
    const { code, output } = await tool(root, 'secretlint', ['--format', 'json', ...everywhere])
    const files = code > 1 ? [] : (JSON.parse(output) as readonly ScannedFile[])
    const found = files.flatMap(({ filePath, messages }) =>
      messages.map(({ message, loc }) => `${filePath}:${loc.start.line}: ${message}`),
    )
    return { passed: code === 0, read: files.length, output: code > 1 ? output : found.join('\n') }
  },
}

interface ScannedFile {
  readonly filePath: string
  readonly messages: readonly {
    readonly message: string
    readonly loc: { readonly start: { readonly line: number } }
  }[]
}

export const checks: readonly Check[] = [
  types,
  lint,
  layers,
  unused([], 'unused (knip)', 200),
  unused(['--production'], 'unused in production (knip)', 100),
  format,
  generated,
  secrets,
  architecture,
]
