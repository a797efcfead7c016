// Who may do what: read the environment, call the outside, end the process.

import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { options } from '../../shared/config/options.ts'
import { assertNone, list, read, sources, withoutComments } from './project-files.ts'

/** Who may look at the environment: the options, what hands it to the processes of a command, and the set-up before all. */
const environmentReaders = ['shared/config/load-config.ts', 'cli/environment.ts', 'cli/setup.js']

test('the environment is read in one place', () => {
  const readers = sources.filter((file) =>
    /\bprocess\s*\.\s*env\b|\benv\b[^'"\n]*from 'node:process'/.test(withoutComments(read(file))),
  )
  assertNone(
    readers.filter((file) => !environmentReaders.includes(file)),
    'declare an option in shared/config/options.ts',
  )
  assert.ok(readers.includes('shared/config/load-config.ts'), 'the one place was not found')
})

test('every option is read by someone', () => {
  const names = Object.keys(options)
  assert.ok(names.length >= 20, `only ${names.length} options were read`)
  const readers = sources.filter((file) => !file.startsWith('shared/config/')).map(read)
  const unread = names.filter((name) => !readers.some((text) => new RegExp(`\\b${name}\\b`).test(text)))
  assertNone(unread, 'an option that changes nothing misleads; use it or remove it')
})

test('kafkajs is known to the event log only', () => {
  const users = sources.filter((file) => /['"]kafkajs['"]/.test(read(file)))
  assert.ok(users.length > 0, 'nobody imports kafkajs')
  assertNone(
    users.filter((file) => !file.startsWith('shared/event-log/')),
    'use the port EventLog',
  )
})

/** Who may open connections to somebody else, and why it does so itself. Everyone else goes through shared/resilience. */
const callersOut: Readonly<Record<string, string>> = {
  'shared/resilience/outbound/': 'the one HTTP client',
  'shared/database/': 'pg, with limits on connections, statements and locks',
  'shared/event-log/kafka/': 'kafkajs, with its own back-off; the outbox stands behind publishing',
  'shared/key-value/redis/': 'ioredis; what it holds may vanish',
  'shared/telemetry/otlp-sender.ts': 'spans: bounded, tried twice, and lost rather than waited for',
  'shared/function/operations/ask-receiver.ts': 'asks the own process whether it still listens',
  'local/': 'the platform on one machine and its clients: no part of a function',
}

const waysOut = [
  /\bfetch\(/,
  /from '(?:undici|pg|ioredis|kafkajs|ws|axios|got)'/,
  /import \{[^}]*\b(?:request|get|connect|createConnection|Socket|Agent)\b[^}]*\} from '(?:node:)?(?:http|https|http2|net|tls|dgram)'/,
  /import [\w*][^\n{]* from '(?:node:)?(?:http|https|http2|net|tls|dgram)'/,
  /\bimport\('(?:node:)?(?:http|https|http2|net|tls|dgram|undici|pg|ioredis|kafkajs)'\)/,
  /\bnew (?:WebSocket|EventSource)\(/,
]

test('calls to the outside go through shared/resilience', () => {
  const opening = sources.filter((file) => {
    const code = withoutComments(read(file)).replaceAll(/^import type .*$/gm, '')
    // A method called fetch is somebody's own.
    return waysOut.some((way) => way.test(code.replaceAll(/[\w)]\.fetch\(|\btype \w+/g, '')))
  })
  const places = Object.keys(callersOut)
  assertNone(
    places.filter((place) => !opening.some((file) => file.startsWith(place))),
    'nobody calls out from here any more: remove it from callersOut',
  )
  assertNone(
    opening.filter((file) => !places.some((place) => file.startsWith(place))),
    'use createOutbound or createUntrustedOutbound of shared/resilience, behind a breaker',
  )
})

/** Clients of shared/resilience that need no breaker. */
const withoutBreaker: Readonly<Record<string, string>> = {
  'shared/delivery/lanes/lane-driver.ts': 'rests.ts lets a function that cannot be reached rest, a failure at a time',
  'functions/gateway/compose.ts': 'one dry run for one request of an operator',
  'cli/commands/dead-letters.ts': 'one dry run for one command',
}

test('whoever calls a dependency has a breaker around it', () => {
  const callers = sources.filter(
    (file) =>
      /\bcreate(?:Untrusted)?Outbound\(/.test(withoutComments(read(file))) && !file.startsWith('shared/resilience/'),
  )
  assert.ok(callers.length >= 4, `only ${callers.length} callers were read`)
  const guarded = (file: string): boolean =>
    list(`${dirname(file)}/*.ts`).some((sibling) => /\bcreateBreaker\(/.test(read(sibling)))
  assertNone(
    callers.filter((file) => !guarded(file) && !(file in withoutBreaker)),
    'put createBreaker around it, or say in withoutBreaker what stands in its place',
  )
  assertNone(
    Object.keys(withoutBreaker).filter((file) => !callers.includes(file)),
    'it calls nothing any more: remove it from withoutBreaker',
  )
})

test('signals and the end of the process belong to lifecycle and the commands', () => {
  const users = sources.filter((file) => /\bprocess\s*\.\s*(?:on|once|exit)\(/.test(withoutComments(read(file))))
  assert.ok(
    users.some((file) => file.startsWith('shared/lifecycle/')),
    'lifecycle does not listen to signals',
  )
  assertNone(
    users.filter((file) => !/^(shared\/lifecycle|cli)\//.test(file)),
    'be a Component instead',
  )
})
