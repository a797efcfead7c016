// The declared metrics as rows. prom-client keeps name and help of an instrument in fields that its types leave out.

import type { Instruments } from '../../shared/telemetry/index.ts'

export interface MetricRow {
  readonly name: string
  readonly kind: string
  readonly help: string
  /** Names, and the values that each may take. */
  readonly labels: Readonly<Record<string, { readonly values?: readonly string[]; readonly text: string }>>
  readonly buckets?: { readonly seconds: readonly number[]; readonly reason: string }
}

export const metricRows = (instruments: Instruments): readonly MetricRow[] =>
  Object.values(instruments)
    .filter((value) => typeof value === 'object' && 'labelSets' in value)
    .map((value) => {
      const { name, help } = value as unknown as { name: string; help: string }
      const row = { name, help, labels: value.labelSets, kind: value.constructor.name.toLowerCase() }
      return value.buckets === undefined ? row : { ...row, buckets: value.buckets }
    })

/** The buckets, each set once, with the histograms that have them. */
export const bucketRows = (rows: readonly MetricRow[]) => {
  const sets = new Set(rows.flatMap(({ buckets }) => (buckets === undefined ? [] : [buckets])))
  return [...sets].map((buckets) => ({
    ...buckets,
    histograms: rows.filter((row) => row.buckets === buckets).map(({ name }) => name),
  }))
}
