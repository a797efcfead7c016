// Files that are generated and committed. A generator writes its files, and with --check writes nothing, names each file that is
// out of date, and ends with code 1. Add yours here.

export interface Generator {
  readonly name: string
  readonly command: readonly [script: string, ...args: string[]]
}

export const generators: readonly Generator[] = [
  { name: 'event types and validators', command: ['shared/events/generate/main.ts'] },
  { name: 'tables of docs/errors.md and docs/metrics.md', command: ['test/checks/write-tables.ts'] },
  { name: 'pages of the Terraform modules', command: ['test/checks/write-module-pages.ts'] },
  { name: 'manifests, AsyncAPI and inputs of Terraform', command: ['cli/main.ts', 'render', '--quiet'] },
]
