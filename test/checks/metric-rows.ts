// The declared metrics as rows. prom-client keeps name, help and labels of an instrument in fields that its types leave out.

import type { Instruments } from '../../shared/telemetry/index.ts'

export interface MetricRow {
  readonly name: string
  readonly kind: string
  readonly labels: readonly string[]
  readonly help: string
}

export const metricRows = (instruments: Instruments): readonly MetricRow[] =>
  Object.values(instruments)
    .filter((value) => typeof value === 'object' && 'labelNames' in value && 'help' in value)
    .map((value) => {
      const { name, help, labelNames } = value as unknown as {
        name: string
        help: string
        labelNames: readonly string[]
      }
      return { name, help, labels: labelNames, kind: value.constructor.name.toLowerCase() }
    })
