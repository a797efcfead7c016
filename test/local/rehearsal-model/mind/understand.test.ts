import { test } from 'node:test'
import assert from 'node:assert/strict'
import { understand } from '../../../../local/rehearsal-model/mind/understand.ts'
import { cpuMsOf } from '../../../support/cpu-time.ts'

const tools = [
  { name: 'calculate', parameters: ['expression'] },
  { name: 'timestamp', parameters: ['timezone'] },
  { name: 'echo', parameters: ['text'] },
  { name: 'http_fetch', parameters: ['url'] },
]

const wanted = (message: string): readonly string[] =>
  understand(message, tools).calls.map(({ tool, args }) => [tool, ...Object.values(args)].join(' '))

const cases: Readonly<Record<string, readonly string[]>> = {
  'What is 17*23, and what time is it in Lima?': ['calculate 17*23', 'timestamp America/Lima'],
  'What is 17*23 and what time is it in Lima?': ['calculate 17*23', 'timestamp America/Lima'],
  'what time is it in Lima and Tokyo?': ['timestamp America/Lima', 'timestamp Asia/Tokyo'],
  'What time is it?': ['timestamp'],
  'What time is it now in São Paulo?': ['timestamp America/Sao_Paulo'],
  'tell me the time in New York': ['timestamp America/New_York'],
  "what's the time in Europe/Paris": ['timestamp Europe/Paris'],
  'What is the date in UTC?': ['timestamp UTC'],
  'echo hello': ['echo hello'],
  'Say "good morning"': ['echo good morning'],
  'echo 2+2': ['echo 2+2'],
  'echo hello and goodbye': ['echo hello and goodbye'],
  'Please echo hello and what is 2+2?': ['echo hello', 'calculate 2+2'],
  'fetch http://127.0.0.1:8080/x?y=1.': ['http_fetch http://127.0.0.1:8080/x?y=1'],
  'What does https://example.com/a say?': ['http_fetch https://example.com/a'],
  'fetch http://a.test and http://b.test': ['http_fetch http://a.test', 'http_fetch http://b.test'],
  'fetch file:///etc/passwd': ['http_fetch file:///etc/passwd'],
  'open gopher://example.com/': ['http_fetch gopher://example.com/'],
  'fetch example.com/page': ['http_fetch https://example.com/page'],
  'What is 2+2? What is 2+2?': ['calculate 2+2'],
  'What is 1+1? What is 2+2?\nWhat is 3+3?': ['calculate 1+1', 'calculate 2+2', 'calculate 3+3'],
  'What is the time complexity of quicksort?': [],
  'Note: this is fine': [],
  hello: [],
  '': [],
}

for (const [message, calls] of Object.entries(cases)) {
  test(`${JSON.stringify(message)} wants ${calls.length === 0 ? 'nothing' : calls.join(', ')}`, () => {
    assert.deepEqual(wanted(message), calls)
  })
}

test('arguments go by the names that a tool declares', () => {
  const declared = [
    { name: 'timestamp', parameters: ['time_zone'] },
    { name: 'calculate', parameters: ['formula'] },
  ]
  const { calls } = understand('What is 1+1, and what time is it in Lima?', declared)
  assert.deepEqual(
    calls.map(({ args }) => args),
    [{ formula: '1+1' }, { time_zone: 'America/Lima' }],
  )
})

test('a tool that is not offered is missed aloud and not called', () => {
  const { calls, remarks } = understand('What is 17*23?', [])
  assert.deepEqual(calls, [])
  assert.match(remarks.join(), /calculate .* not offered/)
})

test('a place that it does not know is named', () => {
  const { calls, remarks } = understand('What time is it in Atlantis?', tools)
  assert.deepEqual(calls, [])
  assert.match(remarks.join(), /Atlantis/)
})

test('at most eight calls are made at once', () => {
  const many = Array.from({ length: 20 }, (_, index) => `What is ${index}+1?`).join(' ')
  assert.equal(wanted(many).length, 8)
})

test('a very long message is read in a moment', () => {
  const ms = cpuMsOf(() => {
    for (const part of ['and what ', 'time in Lima ', 'http://', 'In A', 'say ', '. A', 'what is my ', ', and'])
      wanted(part.repeat(32_768 / part.length))
  })
  assert.ok(ms < 2_000, `${ms} ms`)
})
