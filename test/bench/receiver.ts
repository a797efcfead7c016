// `npm run bench -- receiver [--rounds 15] [--connections 32] [--slice 1000]`: what our receiver costs, next to a raw
// node:http server that parses JSON and to the bare Functions Framework.
//
// Machines differ and the same machine differs from minute to minute, so absolute numbers say little. All servers are up at
// the same time, each in a process of its own on one core; the load generator has another. Each round gives every server one
// slice in shuffled order; a ratio is the median of the rounds' ratios.

import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startCollector } from './receiver/collector.ts'
import { startLoad, type SliceResult } from './receiver/load-process.ts'
import { median, shuffled } from './receiver/rounds.ts'
import { startServer, type BenchServer } from './receiver/server-process.ts'

const variants = ['raw', 'bare', 'full', 'ff'] as const
type Variant = (typeof variants)[number]

/** Until the last spans are sent: they wait a second for others. */
const lastSpansMs = 2_000

interface Measured extends SliceResult {
  readonly cpuMicros: number
}

type Round = Readonly<Record<Variant, Measured>>

export async function bench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '15' },
      connections: { type: 'string', default: '32' },
      slice: { type: 'string', default: '1000' },
    },
  })
  const [rounds, connections, ms] = [Number(values.rounds), Number(values.connections), Number(values.slice)]
  await using stack = new AsyncDisposableStack()
  const load = stack.use(await startLoad())
  const servers = {} as Record<Variant, BenchServer>
  const collector = stack.use(await startCollector())
  for (const variant of variants)
    servers[variant] = stack.use(await startServer(variant, variant === 'full' ? [collector.url] : []))

  const answered: Record<Variant, number> = { raw: 0, bare: 0, full: 0, ff: 0 }
  const measure = async (variant: Variant, sliceMs: number): Promise<Measured> => {
    const server = servers[variant]
    const before = server.cpuMicros()
    const result = await load.run({ port: server.port, connections, ms: sliceMs })
    answered[variant] += result.requests
    return { ...result, cpuMicros: (server.cpuMicros() - before) / Math.max(1, result.requests) }
  }
  for (const variant of variants) await measure(variant, 3_000) // code gets hot
  const measured: Round[] = []
  for (let round = 0; round < rounds; round += 1) {
    const slices: Partial<Record<Variant, Measured>> = {}
    for (const variant of shuffled(variants)) slices[variant] = await measure(variant, ms)
    measured.push(slices as Round)
  }
  await setTimeout(lastSpansMs)
  // There may be more: events that were under way when their slice ended are not counted.
  console.log(`spans that arrived of ${answered.full} events: ${collector.spans()}\n`)
  report(measured)
}

function report(rounds: readonly Round[]): void {
  console.log(
    '| variant | events/s | x raw | CPU µs/event | p50 ms | p99 ms | errors |\n|---|---:|---:|---:|---:|---:|---:|',
  )
  for (const variant of variants) {
    const of = (pick: (slice: Measured) => number): number => median(rounds.map((round) => pick(round[variant])))
    const cells = [
      of(({ perSecond }) => perSecond).toFixed(0),
      median(rounds.map((round) => round[variant].perSecond / round.raw.perSecond)).toFixed(2),
      of(({ cpuMicros }) => cpuMicros).toFixed(1),
      of(({ p50Ms }) => p50Ms).toFixed(2),
      of(({ p99Ms }) => p99Ms).toFixed(2),
      String(rounds.reduce((sum, round) => sum + round[variant].errors, 0)),
    ]
    console.log(`| ${variant} | ${cells.join(' | ')} |`)
  }
  const ratio = (name: string, of: (round: Round) => number): void =>
    console.log(`ratio ${name} ${median(rounds.map(of)).toFixed(2)}`)
  ratio('full/ff', ({ full, ff }) => full.perSecond / ff.perSecond)
  ratio('bare/raw', ({ bare, raw }) => bare.perSecond / raw.perSecond)
  ratio('cpu-full/cpu-bare', ({ full, bare }) => full.cpuMicros / bare.cpuMicros)
  ratio('p99-full/p99-ff', ({ full, ff }) => full.p99Ms / ff.p99Ms)
}
