// A reporter for knip that says how many files it read; its own reporters do not. knip takes a reporter from a default export.

import type { ReporterOptions } from 'knip'

export default function count({ counters }: ReporterOptions): void {
  process.stdout.write(`\nknip read ${counters.processed} files\n`)
}
