// The kinds of metrics. Their labels take values of closed sets: the compiler refuses any other, and docs/metrics.md shows them.
// A histogram keeps exemplars: beside each bucket, the trace of a piece of work that fell into it.

import { Counter, Gauge, Histogram, type Registry, type RegistryContentType } from 'prom-client'
import type { Buckets } from './buckets.ts'
import { currentTrace, type TraceContext } from './trace-context.ts'

/** A closed set of label values. */
export interface LabelSet<T extends string = string> {
  /** Absent where the set is another list's, such as the names of the functions. */
  readonly values?: readonly T[]
  /** What docs/metrics.md says. */
  readonly text: string
}

export const oneOf = <const T extends string>(...values: readonly T[]): LabelSet<T> => ({
  values,
  text: values.join(', '),
})

type Labels = Readonly<Record<string, LabelSet>>
type ValuesOf<L extends Labels> = { readonly [K in keyof L]: L[K] extends LabelSet<infer T> ? T : never }
/** The labels come first, where there are any. */
type With<L extends Labels, Rest extends unknown[]> = keyof L extends never ? Rest : [labels: ValuesOf<L>, ...Rest]
type Untyped<M> = Omit<M, 'inc' | 'dec' | 'set' | 'observe' | 'labels'>
type NamesOf<L extends Labels> = Extract<keyof L, string>

interface Declared {
  readonly labelSets: Labels
  readonly buckets?: Buckets
}

interface CounterOf<L extends Labels> extends Untyped<Counter<NamesOf<L>>>, Declared {
  inc(...args: With<L, [by?: number]>): void
  /** Bound to its labels once, for what happens with every event. */
  labels(labels: ValuesOf<L>): { inc(by?: number): void }
}

interface GaugeOf<L extends Labels> extends Untyped<Gauge<NamesOf<L>>>, Declared {
  /** Called before each scrape, for what is counted elsewhere. */
  collect?: () => void
  set(...args: With<L, [value: number]>): void
  inc(...args: With<L, [by?: number]>): void
  dec(...args: With<L, [by?: number]>): void
}

interface HistogramOf<L extends Labels> extends Untyped<Histogram<NamesOf<L>>>, Declared {
  /** `trace` becomes the exemplar; default: the current one. */
  observe(...args: With<L, [seconds: number, trace?: TraceContext]>): void
}

export interface HistogramOptions<L extends Labels> {
  readonly help: string
  readonly labels: L
  readonly buckets: Buckets
}

/** The kinds, for one registry. It must speak OpenMetrics: exemplars exist there only. */
export function createKinds(registry: Registry<RegistryContentType>) {
  const settings = (name: string, help: string, labelSets: Labels) => ({
    name,
    help,
    labelNames: Object.keys(labelSets),
    registers: [registry],
  })
  return {
    counter: <const L extends Labels>(name: string, help: string, labelSets: L): CounterOf<L> =>
      Object.assign(new Counter(settings(name, help, labelSets)), { labelSets }) as unknown as CounterOf<L>,
    gauge: <const L extends Labels>(name: string, help: string, labelSets: L): GaugeOf<L> =>
      Object.assign(new Gauge(settings(name, help, labelSets)), { labelSets }) as unknown as GaugeOf<L>,
    histogram: <const L extends Labels>(
      name: string,
      { help, labels: labelSets, buckets }: HistogramOptions<L>,
    ): HistogramOf<L> => {
      const made = new Histogram({
        ...settings(name, help, labelSets),
        buckets: [...buckets.seconds],
        enableExemplars: true,
      })
      const keep = made.observe.bind(made) as (observed: object) => void
      const observe = (labels: object, value: number, trace = currentTrace()): void =>
        keep(trace?.sampled === true ? { labels, value, exemplarLabels: exemplarOf(trace) } : { labels, value })
      const bare = (value: number, trace?: TraceContext): void => observe({}, value, trace)
      const hasLabels = Object.keys(labelSets).length > 0
      return Object.assign(made, {
        labelSets,
        buckets,
        observe: hasLabels ? observe : bare,
      }) as unknown as HistogramOf<L>
    },
  }
}

const exemplarOf = ({ traceId, spanId }: TraceContext) => ({ trace_id: traceId, span_id: spanId })
