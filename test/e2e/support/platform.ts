// The platform for end-to-end tests: every function a real process, on a database of its own, with a rehearsal model that the
// test scripts. Ended at the end of the test.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { followSession, sendMessage } from '../../../local/conversation-client/index.ts'
import type { Platform } from '../../../local/platform/index.ts'
import { parseScript } from '../../../local/rehearsal-model/index.ts'
import { loadConfig } from '../../../shared/config/index.ts'
import type { Database } from '../../../shared/database/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { atEnd, createTestDatabase, temporaryFolder, until } from '../../support/index.ts'
import { startWatchedPlatform } from '../../support/watched-platform.ts'
import { watchSession, type Watch } from './watch.ts'

export interface TestPlatformOptions {
  /** By process: a point and when to die there, such as `outbox.after-commit=kill`. In the first run of the process only. */
  readonly failpoints?: Readonly<Record<string, string>>
  /** Rules of the rehearsal model, in YAML. */
  readonly script?: string
  readonly instances?: Readonly<Record<string, number>>
  readonly env?: Readonly<Record<string, string>>
}

export interface Turn {
  readonly sessionId: string
  readonly turnId: string
  readonly traceId: string
  /** Durable events of the session, over every reconnect. */
  readonly watch: Watch
  /** Resolves with the answer; fails when the turn fails or takes longer than 20 s. */
  completed(limitMs?: number): Promise<string>
}

export interface TestProcess {
  /** Resolves when a run of the process ended so, by a signal or as `code 0`, in the past or the future. */
  died(how: NodeJS.Signals | `code ${number}`): Promise<void>
  /** Default: SIGKILL. */
  kill(signal?: NodeJS.Signals): void
}

export interface TestPlatform extends Pick<
  Platform,
  'gatewayUrl' | 'urls' | 'operationsUrls' | 'eventLog' | 'databaseUrl'
> {
  readonly database: Database
  readonly model: NonNullable<Platform['model']>
  readonly logFolder: string
  send(message: string, options?: { readonly sessionId?: string; readonly via?: string }): Promise<Turn>
  /** Follows a session through the gateway process of this name. */
  watch(sessionId: string, via?: string): Watch
  process(name: string): TestProcess
}

export async function startPlatform(t: TestContext, options: TestPlatformOptions = {}): Promise<TestPlatform> {
  const { script, instances = {}, failpoints = {}, env: environment = {} } = options
  const { url } = await createTestDatabase(t)
  const home = temporaryFolder(t)
  const config = loadConfig({ ...environment, DATABASE_URL: url })
  const { platform, events, database, logFolder } = await startWatchedPlatform(
    { home, environment, config, instances, failpoints, startLimitMs: 60_000 },
    (end) => atEnd(t, end),
  )
  const { model } = platform
  assert.ok(model !== undefined)
  if (script !== undefined) model.play(parseScript(script))

  const gatewayOf = (name: string): string => platform.urls.get(name) ?? assert.fail(`there is no process ${name}`)
  const watch = (sessionId: string, via = 'gateway'): Watch => {
    const follow = (after: number, signal: AbortSignal) =>
      followSession({ gatewayUrl: gatewayOf(via), sessionId, after, signal }, { clock })
    const watched = watchSession(follow)
    atEnd(t, () => watched.stop())
    return watched
  }
  return {
    gatewayUrl: platform.gatewayUrl,
    urls: platform.urls,
    operationsUrls: platform.operationsUrls,
    eventLog: platform.eventLog,
    databaseUrl: platform.databaseUrl,
    database,
    model,
    logFolder,
    watch,
    send: async (message, { sessionId, via = 'gateway' } = {}) => {
      const session = sessionId === undefined ? {} : { sessionId }
      const sent = await sendMessage(
        { gatewayUrl: gatewayOf(via), message, signal: AbortSignal.timeout(20_000), ...session },
        { clock },
      )
      const watched = watch(sent.sessionId, via)
      return { ...sent, watch: watched, completed: (limitMs) => watched.completed(sent.turnId, limitMs) }
    },
    process: (name) => ({
      died: async (how) => {
        await until(
          `${name} ended by ${how}`,
          () => events.some((event) => event.kind === 'ended' && event.process === name && event.how === how),
          { limitMs: 30_000 },
        )
      },
      kill: (signal = 'SIGKILL') => assert.ok(platform.runner.process(name)?.kill(signal)),
    }),
  }
}
