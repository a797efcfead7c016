// `sluice simulate`: a function and its sources in virtual time, under a seed and faults.

import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { KafkaSourceSpec } from '../../local/kafka-source/index.ts'
import { installedFunctions, kafkaSourcesOf } from '../../local/platform/index.ts'
import { readEventLines } from '../../local/replay/index.ts'
import {
  faultForms,
  formatEntry,
  formatMoment,
  millisecondsOf,
  parseFault,
  simulate,
  type Range,
  type SimulationReport,
} from '../../local/simulation/index.ts'
import { SluiceError } from '../../shared/errors/index.ts'
import type { CloudEvent } from '../../shared/events/index.ts'
import type { EventFunction } from '../../shared/function/index.ts'
import type { Command } from '../command.ts'
import { projectRoot } from '../project.ts'

export const command: Command = {
  summary: 'Replays events through a function in virtual time',
  usage: `Usage: sluice simulate --function NAME --seed N --events FILE [options]

Replays the events of a file (JSON lines, docs/replay.md; '-' is standard input) at the distances of their own times, hours
in seconds, and prints what happens. The same seed repeats exactly; another one interleaves otherwise.

Real are the KafkaSource twin, the contract of the function, decoding and schemas. Modelled are time, the log, the network
and the function: its receiver, inbox and lanes by contract. Its handler does not run; runs take what the seed draws.

  --fault FAULT      may be given several times; times count from the first event:
                       ${faultForms.join('\n                       ')}
  --handler A..B     how long a run takes (default: 20ms..200ms)
  --acceptance A..B  how long the receiver takes without a handler (default: 2ms..10ms)
  --for TIME         how long after the last event everything should have ended (default: 24h)
  --summary          only the summary

Exits 1 when an event was lost, was left open or overtook an earlier one of its key.

  npx sluice simulate --function tool-executor --seed 7 --events calls.jsonl --fault 503@10s..40s --fault fail=0.2`,
  run,
}

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      function: { type: 'string' },
      seed: { type: 'string' },
      events: { type: 'string' },
      fault: { type: 'string', multiple: true, default: [] },
      handler: { type: 'string', default: '20ms..200ms' },
      acceptance: { type: 'string', default: '2ms..10ms' },
      for: { type: 'string', default: '24h' },
      summary: { type: 'boolean', default: false },
    },
  })
  const { function: name, seed, events: file } = values
  if (name === undefined || seed === undefined || file === undefined || positionals.length > 0) {
    console.error(`sluice simulate: expected --function NAME, --seed N and --events FILE\n\n${command.usage}`)
    return 2
  }
  const definition = await eventFunction(name)
  const faults = values.fault.map(parseFault)
  const paces = {
    network: { from: 0.2, to: 2 },
    acceptance: rangeOf('--acceptance', values.acceptance),
    handler: rangeOf('--handler', values.handler),
  }
  const longestMs = millisecondsOf(values.for, '--for')
  const sources = kafkaSourcesOf(definition, 'http://function.simulated/')
  const events = await eventsOf(file)
  if (!/^\d{1,15}$/.test(seed)) throw new SluiceError('invalid_option', `--seed ${seed}: expected a whole number`)
  const report = await simulate({ definition, sources, events, seed, faults, paces, longestMs })
  if (report.events === 0) throw nothingToDo(name, sources)
  console.log(opening({ name, seed, faults: values.fault }, report))
  if (!values.summary) for (const entry of report.entries) console.log(formatEntry(entry))
  console.log(summary(report))
  return isSound(report) ? 0 : 1
}

const nothingToDo = (name: string, sources: readonly KafkaSourceSpec[]): SluiceError => {
  const topics = sources.flatMap(({ spec }) => spec.topics).join(', ')
  return new SluiceError('invalid_option', `--events: no event is on a topic that ${name} consumes (${topics})`)
}

async function eventFunction(name: string): Promise<EventFunction> {
  const functions = await installedFunctions(projectRoot)
  const found = functions.find((one) => one.name === name)
  if (found?.kind === 'event') return found
  const names = functions.filter(({ kind }) => kind === 'event').map((one) => one.name)
  throw new SluiceError('invalid_option', `--function ${name}: the event functions are ${names.join(', ')}`)
}

function rangeOf(option: string, text: string): Range {
  const [from = '', to = from, ...more] = text.split('..')
  const range = { from: millisecondsOf(from, option), to: millisecondsOf(to, option) }
  if (more.length > 0 || range.to < range.from)
    throw new SluiceError('invalid_option', `${option} ${text}: expected A..B, such as 20ms..2s`)
  return range
}

async function eventsOf(file: string): Promise<readonly CloudEvent[]> {
  const input = file === '-' ? process.stdin : createReadStream(file)
  const failed = new Promise<never>((_, reject) =>
    input.once('error', (error: Error) =>
      reject(new SluiceError('invalid_option', `--events ${file} cannot be read: ${error.message}`)),
    ),
  )
  const events: CloudEvent[] = []
  const read = async (): Promise<void> => {
    for await (const line of readEventLines(createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }))) {
      if (line.kind === 'fault') throw new SluiceError('invalid_option', `${file}, line ${line.line}: ${line.message}`)
      events.push(line.event)
    }
  }
  await Promise.race([read(), failed])
  if (events.length === 0) throw new SluiceError('invalid_option', `--events ${file}: no events`)
  return events
}

interface Asked {
  readonly name: string
  readonly seed: string
  readonly faults: readonly string[]
}

const opening = ({ name, seed, faults }: Asked, { events, skipped }: SimulationReport): string =>
  [
    `Simulation of ${name}, seed ${seed}: ${events} events${skipped === 0 ? '' : ` (${skipped} of other topics left out)`}, ${
      faults.length === 0 ? 'no faults' : `faults ${faults.join(', ')}`
    }`,
    'Real: KafkaSource twin, contract, decoding, schemas. Modelled: time, log, network, and the function (no handler runs).',
  ].join('\n')

function summary(report: SimulationReport): string {
  const { requests, answers, broken, duplicates, runs, done, dead, dropped, open, overtaken, virtualMs } = report
  const answered = [...answers].toSorted(([a], [b]) => a - b).map(([status, count]) => `${count} × ${status}`)
  return [
    `${formatMoment(virtualMs)} of virtual time; ${requests} requests: ${[...answered, `${broken} broken`].join(', ')}`,
    `${runs} runs, ${duplicates} duplicates absorbed`,
    `${done} done, ${dead} dead letters, ${dropped} dropped, ${open} open, ${overtaken} overtaken`,
  ].join('\n')
}

const isSound = ({ dropped, open, overtaken }: SimulationReport): boolean => dropped + open + overtaken === 0
