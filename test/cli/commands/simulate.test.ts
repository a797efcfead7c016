import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from '../../support/index.ts'
import { runCommand, type EndedCommand } from '../run-command.ts'

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

const simulate = (...args: readonly string[]): Promise<EndedCommand> => runCommand(['simulate', ...args])

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
      simulate(...asked, '--seed', '7'),
      simulate(...asked, '--seed', '7'),
      simulate(...asked, '--seed', '8'),
    ])
    assert.equal(first.code, 0, first.stderr)
    assert.match(
      first.stdout,
      /^Simulation of tool-executor, seed 7: 30 events, faults 503@2m\.\.4m, fail=0\.3\nReal: .*\. Modelled: .*no handler runs/,
    )
    assert.match(first.stdout, /\n\+0:02:00\.000 {2}fault {5}503 begins\n/)
    assert.match(first.stdout, /→ 503\n/)
    assert.match(first.stdout, /\n30 done, 0 dead letters, 0 dropped, 0 open, 0 overtaken\n$/)
    assert.equal(first.stdout, again.stdout, 'one seed repeats exactly')
    assert.notEqual(first.stdout, other.stdout)
  },
)

test('an event that was lost or left open makes the exit code 1', limit, async (t) => {
  const file = eventsFile(t, 3)
  const { code, stdout } = await simulate(
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
  assert.match(stdout, /1 dropped/)
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
    const ended = await simulate(...args)
    assert.equal(ended.code, code, args.join(' '))
    assert.match(ended.stderr, errors)
  }
})
