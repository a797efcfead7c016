// The commands as a user runs them, each a process of its own, against a scripted gateway and a real database.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDatabase } from '../../shared/database/index.ts'
import { createEventLog } from '../../shared/event-log/index.ts'
import { encodeRecord } from '../../shared/events/index.ts'
import { secret } from '../../shared/config/index.ts'
import { createLogger } from '../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../shared/time/index.ts'
import { delta, durable, scriptedGateway } from '../local/conversation-client/scripted-gateway.ts'
import { createTestDatabase, startLoopbackServer, temporaryFolder } from '../support/index.ts'
import { runCommand } from './run-command.ts'

const whole =
  durable(1, 'turn.started') +
  delta('It is ') +
  delta('391.', { index: 1 }) +
  durable(2, 'turn.completed', { answer: 'It is 391.' })

test('send prints the answer on standard output and everything else on standard error', async (t) => {
  const tool = durable(1, 'turn.progressed', { phase: 'tool-finished', tool: 'calculate', status: 'succeeded' })
  const { url } = await scriptedGateway(t, {
    streams: [
      { open: true, text: tool + delta('It is 391.') + durable(2, 'turn.completed', { answer: 'It is 391.' }) },
    ],
  })
  const { code, stdout, stderr } = await runCommand(['send', '--url', url, 'What is 17*23?'])
  assert.equal(code, 0)
  assert.equal(stdout, 'It is 391.\n')
  assert.match(stderr, /session s-1, trace 0af7651916cd43dd8448eb211c80319c\n· tool calculate: succeeded\n/)
})

test('send says what recovered when a process died in the middle', async (t) => {
  const { url } = await scriptedGateway(t, {
    streams: [
      { cut: true, text: `retry: 10\n\n${durable(1, 'turn.started')}${delta('It i')}` },
      {
        open: true,
        text: delta('It is 391.', { attempt: 2 }) + durable(2, 'turn.completed', { answer: 'It is 391.' }),
      },
    ],
  })
  const { code, stdout, stderr } = await runCommand(['send', '--url', url, 'What is 17*23?'])
  assert.equal(code, 0)
  assert.equal(stdout, 'It i\nIt is 391.\n')
  assert.match(stderr, /the gateway is away/)
  assert.match(stderr, /the stream goes on after event 1/)
  assert.match(stderr, /model step was restarted \(attempt 2\)/)
})

test('send exits 1 when the turn fails, and when it takes too long', async (t) => {
  const failing = await scriptedGateway(t, {
    streams: [{ open: true, text: durable(1, 'turn.failed', { reason: 'model_unavailable', detail: 'it is off' }) }],
  })
  const failed = await runCommand(['send', '--url', failing.url, 'Hello'])
  assert.equal(failed.code, 1)
  assert.match(failed.stderr, /the turn failed: model_unavailable \(it is off\)/)
  const silent = await scriptedGateway(t, { streams: [{ open: true, text: durable(1, 'turn.started') }] })
  const late = await runCommand(['send', '--url', silent.url, '--timeout', '0.3', 'Hello'])
  assert.equal(late.code, 1)
  assert.match(late.stderr, /did not end within 0.3 s/)
})

test('chat takes a message from each line of a pipe', async (t) => {
  const { url, requests } = await scriptedGateway(t, {
    streams: [
      { open: true, text: whole },
      { open: true, text: whole },
    ],
  })
  const { code, stdout } = await runCommand(['chat', '--url', url], { input: 'What is 17*23?\n\nAnd again?\n' })
  assert.equal(code, 0)
  assert.equal(stdout.match(/It is 391\.\n/g)?.length, 2)
  assert.equal(requests.filter(({ method }) => method === 'POST').length, 2)
})

test('without a platform chat, send, seed and record say how to get one', async (t) => {
  const env = { SLUICE_HOME: temporaryFolder(t) }
  for (const args of [['chat'], ['send', 'Hello'], ['seed'], ['record', 'conversation.inbound']]) {
    const { code, stderr } = await runCommand(args, { env })
    assert.equal(code, 1)
    assert.match(stderr, /no platform here: run npm start/)
  }
})

test('migrate applies what a database lacks, and then finds nothing to do', async (t) => {
  const { url } = await createTestDatabase(t, { migrated: false })
  const first = await runCommand(['migrate'], { env: { DATABASE_URL: url } })
  assert.match(first.stdout, /^0001-delivery\.sql\n[^]*\n[1-9]\d* migrations applied\.\n$/)
  assert.deepEqual(await runCommand(['migrate'], { env: { DATABASE_URL: url } }), {
    code: 0,
    stdout: '0 migrations applied.\n',
    stderr: '',
  })
})

test('seed loads the seeds as often as one likes', async (t) => {
  const { url } = await createTestDatabase(t)
  const first = await runCommand(['seed'], { env: { DATABASE_URL: url } })
  assert.match(first.stdout, /^\d+ rows are as the seeds say/)
  assert.deepEqual(await runCommand(['seed'], { env: { DATABASE_URL: url } }), first)
})

test('record writes a topic, and replay posts it', async (t) => {
  const { url } = await createTestDatabase(t)
  await appendEvent(url)
  const recorded = await runCommand(['record', 'conversation.inbound'], { env: { DATABASE_URL: url } })
  assert.equal(recorded.code, 0, recorded.stderr)
  assert.match(recorded.stdout, /^\{.*"id":"e-1".*"sluicetopic":"conversation.inbound".*\}\n$/)
  const file = join(temporaryFolder(t), 'inbound.jsonl')
  writeFileSync(file, recorded.stdout)

  const taken = await startLoopbackServer(
    t,
    (request, response) => void request.resume().on('end', () => response.writeHead(202).end()),
  )
  const replayed = await runCommand(['replay', file, '--to', taken.url])
  assert.deepEqual([replayed.code, replayed.stderr], [0, ''])
  assert.match(
    replayed.stdout,
    /^1 events answered: 1 × 202; 0 failed\.\nThose that the function had taken before were absorbed/,
  )
  const refusing = await startLoopbackServer(
    t,
    (request, response) => void request.resume().on('end', () => response.writeHead(400).end('no')),
  )
  const refused = await runCommand(['replay', file, '--to', refusing.url])
  assert.deepEqual(refused, {
    code: 1,
    stdout: '1 events answered: 1 × 400; 1 failed.\n',
    stderr: 'line 1: status 400: no\n',
  })
})

test('replay of what is not there says so', async () => {
  const { code, stderr } = await runCommand(['replay', '/nowhere.jsonl', '--to', 'http://127.0.0.1:1/'])
  assert.equal(code, 1)
  assert.match(stderr, /\/nowhere\.jsonl cannot be read/)
})

async function appendEvent(url: string): Promise<void> {
  const log = createLogger({ function: 'test', level: 'silent' })
  const database = createDatabase(
    { url: secret(url), poolSize: 1, statementTimeoutMs: 5_000, lockTimeoutMs: 5_000, applicationName: 'test' },
    { log, clock },
  )
  const eventLog = createEventLog({ kafkaBrokers: [] }, { database, clock, log, name: 'test' })
  const topic = 'conversation.inbound'
  await eventLog.ensureTopics([{ name: topic, partitions: 2 }])
  const event = {
    specversion: '1.0',
    id: 'e-1',
    source: '/s',
    type: 't',
    datacontenttype: 'application/json',
    data: {},
    extensions: {},
  } as const
  await eventLog.append([{ topic, ...encodeRecord(event, { key: 'k' }) }])
  await eventLog.stop()
  await database.stop()
}
