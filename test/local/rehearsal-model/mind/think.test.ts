import { test } from 'node:test'
import assert from 'node:assert/strict'
import { think, type Reply } from '../../../../local/rehearsal-model/mind/index.ts'
import type { ChatMessage } from '../../../../local/rehearsal-model/chat-request.ts'

const tools = ['calculate', 'timestamp', 'echo', 'http_fetch'].map((name) => ({ name, parameters: [] }))
const user = (content: string): ChatMessage => ({ role: 'user', content })
const system = (content: string): ChatMessage => ({ role: 'system', content })
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content, toolCalls: [] })

const reply = (messages: readonly ChatMessage[], offered = tools): Reply =>
  think({ model: 'm', stream: true, includeUsage: true, messages, tools: offered }, 'seed')

function says(...messages: readonly ChatMessage[]): string {
  const answer = reply(messages)
  return answer.kind === 'text' ? answer.text : assert.fail('it called tools')
}

/** The answer after one round in which `tool` was called with `args` and returned `content`. */
const after = (tool: string, args: object, content: string): string =>
  says(
    user('please'),
    { role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: tool, arguments: JSON.stringify(args) }] },
    { role: 'tool', toolCallId: 'c1', content },
  )

test('results are told in a sentence each', () => {
  assert.equal(after('calculate', { expression: '17*23' }, '391'), '17*23 is 391.')
  assert.equal(after('calculate', { expression: '17*23' }, '{"value":391}'), '17*23 is 391.')
  assert.equal(after('calculate', { expression: '17*23' }, '{"status":"succeeded","result":391}'), '17*23 is 391.')
  assert.equal(after('echo', { text: 'hello' }, 'hello'), 'hello')
  assert.equal(after('echo', { text: 'hello' }, '{"text":"hello"}'), 'hello')
  const local = {
    time_zone: 'America/Lima',
    local: '2025-11-25T14:05:09-05:00',
    weekday: 'Tuesday',
    utc: '2025-11-25T19:05:09.000Z',
  }
  assert.equal(
    after('timestamp', { timezone: 'America/Lima' }, JSON.stringify(local)),
    'In Lima it is 14:05 on Tuesday, 25 November 2025.',
  )
  const page = { url: 'http://a.test/', status: 200, content_type: 'text/plain', text: 'Hello\n  there' }
  assert.equal(
    after('http_fetch', { url: 'http://a.test/' }, JSON.stringify(page)),
    'http://a.test/ answered 200 OK: “Hello there”',
  )
  assert.equal(after('weather', {}, '"sunny"'), 'weather returned sunny.')
})

test('failures are told as failures, with their reasons', () => {
  const blocked = {
    status: 'blocked',
    error: { code: 'blocked_address', message: 'the host is not a public one (loopback)' },
  }
  assert.equal(
    after('http_fetch', { url: 'http://127.0.0.1/' }, JSON.stringify(blocked)),
    'I could not fetch http://127.0.0.1/: the host is not a public one (loopback) (blocked_address).',
  )
  assert.equal(
    after(
      'calculate',
      { expression: '1/0' },
      '{"status":"failed","error":{"code":"calculation_failed","message":"division by zero."}}',
    ),
    'I could not calculate 1/0: division by zero (calculation_failed).',
  )
  assert.equal(
    after('http_fetch', { url: 'http://a.test' }, '{"status":"timed_out"}'),
    'I could not fetch http://a.test: it took too long.',
  )
  assert.equal(
    after('calculate', { expression: '1' }, '{"status":"circuit_open"}'),
    'I could not calculate 1: the tool is out of order for the moment.',
  )
  assert.equal(after('weather', {}, '{"error":"no signal"}'), 'I could not use weather: no signal.')
})

test('a page that answers 404 is an answer, not a failure', () => {
  assert.match(
    after('http_fetch', { url: 'http://a.test' }, '{"status":404,"text":""}'),
    /answered 404 Not Found with an empty page/,
  )
})

test('what the earlier turns called plays no part', () => {
  const messages = [
    user('What is 1+1?'),
    { role: 'assistant', content: '', toolCalls: [{ id: 'a', name: 'calculate', arguments: '{"expression":"1+1"}' }] },
    { role: 'tool', toolCallId: 'a', content: '2' },
    assistant('1+1 is 2.'),
    user('What is 2+2?'),
  ] satisfies readonly ChatMessage[]
  const answer = reply(messages)
  assert.equal(answer.kind === 'calls' && answer.calls[0]?.arguments, '{"expression":"2+2"}')
})

test('it remembers what it was told, the latest first', () => {
  assert.match(says(user('Hi, my name is Ada')), /Ada/)
  assert.equal(says(user('my name is Ada'), assistant('Hi'), user('What is my name?')), 'Your name is Ada.')
  assert.equal(says(user('I am Ada.'), assistant('Hi'), user('who am I?')), 'Your name is Ada.')
  assert.equal(
    says(user('my name is Ada'), assistant('x'), user('my name is Grace'), assistant('y'), user("what's my name?")),
    'Your name is Grace.',
  )
  assert.equal(
    says(user('My favourite colour is blue.'), assistant('x'), user('What is my favourite colour?')),
    'Your favourite colour is blue.',
  )
  assert.match(says(user('What is my name?')), /not told me your name/)
})

test('it knows what was said before', () => {
  assert.match(says(user('I like tea'), assistant('x'), user('What did I just say?')), /I like tea/)
  assert.match(
    says(user('I like tea'), assistant('x'), user('Summarize our conversation so far in a few sentences.')),
    /one thing: “I like tea”/,
  )
})

test('it knows what notes of earlier conversations say, and what was said here before them', () => {
  const notes = system('Be brief.\n\nYou remember:\n- 2025-01-15: My dog is Rex. → Noted.')
  assert.match(says(notes, user('What is my dog?')), /Your dog is Rex/)
  assert.match(says(notes, user('My dog is Bello.'), assistant('x'), user('What is my dog?')), /Your dog is Bello/)
  assert.match(says(notes, user('What is my bird?')), /not told me/)
})

test('it speaks in the name of the persona', () => {
  assert.match(
    says(system('You are a helpful assistant. Be brief.\n\nYou are Ada, a librarian.'), user('hello')),
    /I am Ada/,
  )
  assert.match(says(system('You are a helpful assistant.'), user('who are you?')), /rehearsal model/)
})

test('it names only what the tools on offer allow', () => {
  assert.match(says(user('what can you do?')), /arithmetic.*time.*fetch.*echo/)
  const bare = reply([user('what can you do?')], [])
  assert.doesNotMatch(bare.kind === 'text' ? bare.text : '', /arithmetic/)
})

test('to anything else it says honestly what it is', () => {
  assert.match(says(user('Why is the sky blue?')), /rehearsal model.*MODEL_BASE_URL/)
})
