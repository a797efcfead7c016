import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { projectRoot, temporaryFolder } from '../../support/index.ts'

const limit = { timeout: 60_000 }

const event = (index: number): string =>
  JSON.stringify({
    specversion: '1.0',
    id: `e-${index}`,
    source: '/test',
    type: 'tool.call.requested.v1',
    time: new Date(Date.UTC(2026, 2, 1) + index * 60_000).toISOString(),
    datacontenttype: 'application/json',
    tenant: 'local',
    partitionkey: `s-${index % 3}`,
    data: { session_id: `s-${index % 3}`, turn_id: 't-1', call_id: `c-${index}`, tool: 'calculator', arguments: {} },
  })

interface Ended {
  readonly code: number
  readonly output: string
  readonly errors: string
}

function sluice(...args: readonly string[]): Promise<Ended> {
  const command = [join(projectRoot, 'cli', 'main.ts'), 'simulate', ...args]
  return new Promise((resolve) => {
    execFile(process.execPath, command, { timeout: 50_000 }, (error, output, errors) =>
      resolve({ code: error === null ? 0 : Number(error.code), output, errors }),
    )
  })
}

function eventsFile(t: TestContext, count = 30): string {
  const file = join(temporaryFolder(t), 'events.jsonl')
  writeFileSync(file, Array.from({ length: count }, (_, index) => `${event(index)}\n`).join(''))
  return file
}

test(
  'half an hour of events is replayed under faults: what is simulated, the timeline, the summary',
  limit,
  async (t) => {
    const asked = [
      '--function',
      'tool-executor',
      '--events',
      eventsFile(t),
      '--fault',
      '503@2m..4m',
      '--fault',
      'fail=0.3',
    ]
    const [first, again, other] = await Promise.all([
      sluice(...asked, '--seed', '7'),
      sluice(...asked, '--seed', '7'),
      sluice(...asked, '--seed', '8'),
    ])
    assert.equal(first.code, 0, first.errors)
    assert.match(
      first.output,
      /^Simulation of tool-executor, seed 7: 30 events, faults 503@2m\.\.4m, fail=0\.3\nReal: .*\. Modelled: .*no handler runs/,
    )
    assert.match(first.output, /\n\+0:02:00\.000 {2}fault {5}503 begins\n/)
    assert.match(first.output, /→ 503\n/)
    assert.match(first.output, /\n30 done, 0 dead letters, 0 dropped, 0 open, 0 overtaken\n$/)
    assert.equal(first.output, again.output, 'one seed repeats exactly')
    assert.notEqual(first.output, other.output)
  },
)

test('an event that was lost or left open makes the exit code 1', limit, async (t) => {
  const file = eventsFile(t, 3)
  const { code, output } = await sluice(
    '--function',
    'tool-executor',
    '--seed',
    '1',
    '--events',
    file,
    '--fault',
    '400@0s..1s',
    '--summary',
  )
  assert.equal(code, 1)
  assert.match(output, /1 dropped/)
})

test('what cannot be simulated is refused with what can', limit, async (t) => {
  const file = eventsFile(t, 1)
  const cases: readonly (readonly [args: readonly string[], code: number, errors: RegExp])[] = [
    [['--seed', '1'], 2, /expected --function NAME, --seed N and --events FILE/],
    [
      ['--function', 'nobody', '--seed', '1', '--events', file],
      1,
      /--function nobody: the event functions are .*tool-executor/,
    ],
    [
      ['--function', 'conversation-worker', '--seed', '1', '--events', file],
      1,
      /no event is on a topic that conversation-worker consumes/,
    ],
    [['--function', 'tool-executor', '--seed', 'x', '--events', file], 1, /--seed x: expected a whole number/],
    [['--function', 'tool-executor', '--seed', '1', '--events', `${file}.none`], 1, /cannot be read/],
    [
      ['--function', 'tool-executor', '--seed', '1', '--events', file, '--fault', 'flood'],
      1,
      /--fault flood: expected one of/,
    ],
    [
      ['--function', 'tool-executor', '--seed', '1', '--events', file, '--handler', '2s..1s'],
      1,
      /--handler 2s\.\.1s: expected A\.\.B/,
    ],
  ]
  for (const [args, code, errors] of cases) {
    const ended = await sluice(...args)
    assert.equal(ended.code, code, args.join(' '))
    assert.match(ended.errors, errors)
  }
})
