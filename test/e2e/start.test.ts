// `npm start` as a user meets it.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { test } from 'node:test'
import { isAlive, until } from '../support/index.ts'
import { createCli, descendants } from './support/index.ts'

const ready = /Sluice is ready/
const startLimitMs = 60_000

test(
  'one command starts everything, send and chat talk to it, and Ctrl-C leaves no process',
  { timeout: 120_000 },
  async (t) => {
    const cli = await createCli(t)
    const platform = cli.start()
    await platform.line(ready, { limitMs: startLimitMs })
    assert.ok(platform.lines.some((line) => line.includes(`gateway  http://127.0.0.1:${cli.port}`)))
    const pids = descendants(platform.pid)
    assert.ok(pids.length >= 5, 'Postgres and four functions')

    const sent = await cli.run(['send', 'What is 17*23?'])
    assert.equal(sent.code, 0, sent.stderr)
    assert.match(sent.stdout, /391/)
    assert.match(sent.stderr, /tool calculate: succeeded/)

    const chat = await cli.run(['chat'], 'My name is Ada.\nWhat is my name?\n')
    assert.equal(chat.code, 0, chat.stderr)
    assert.match(chat.stdout, /trace [0-9a-f]{32}[\s\S]*Ada/)

    const second = await cli.run(['start'])
    assert.equal(second.code, 1)
    assert.match(
      second.stderr,
      new RegExp(`runs at http://127.0.0.1:${cli.port} already \\(process ${platform.pid}\\)`),
    )

    const before = performance.now()
    platform.kill('SIGINT')
    assert.deepEqual(await platform.exited({ limitMs: 10_000 }), { code: 0, signal: null })
    assert.ok(performance.now() - before < 10_000)
    assert.deepEqual(pids.filter(isAlive), [])

    const alone = await cli.run(['send', 'Is anybody there?'])
    assert.equal(alone.code, 1)
    assert.match(alone.stderr, /no platform here: run npm start/)
  },
)

test(
  'a platform that is killed leaves no process, and the next one finds its data',
  { timeout: 180_000 },
  async (t) => {
    const cli = await createCli(t)
    const killed = cli.start()
    await killed.line(ready, { limitMs: startLimitMs })
    const sent = await cli.run(['send', '--session', 'kept', 'echo hello'])
    assert.equal(sent.code, 0, sent.stderr)
    const pids = descendants(killed.pid)
    killed.kill('SIGKILL')
    await until('its processes are gone', () => pids.every((pid) => !isAlive(pid)), { limitMs: 20_000 })

    const next = cli.start()
    await next.line(ready, { limitMs: startLimitMs })
    const sessions = async (): Promise<number> => {
      const page = (await (await fetch(`http://127.0.0.1:${cli.port}/v1/sessions`)).json()) as {
        readonly sessions: readonly unknown[]
      }
      return page.sessions.length
    }
    assert.equal(await sessions(), 1)
    next.kill('SIGTERM')
    assert.equal((await next.exited({ limitMs: 10_000 })).code, 0)

    const fresh = cli.start('--fresh')
    await fresh.line(ready, { limitMs: startLimitMs })
    assert.equal(await sessions(), 0)
  },
)

test(
  'a taken port is named with its holder and the way out, and nothing is left running',
  { timeout: 60_000 },
  async (t) => {
    const cli = await createCli(t)
    const holder = createServer().listen(cli.port, '127.0.0.1')
    await once(holder, 'listening')
    t.after(() => holder.close())
    const refused = await cli.run(['start'])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, new RegExp(`port ${cli.port} is taken by process ${process.pid}.*--port`))
  },
)

test('a bad option ends the start with one line that names it', { timeout: 60_000 }, async (t) => {
  const cli = await createCli(t)
  const refused = await cli.run(['start', '--port', 'ninety'])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /^sluice start: PORT=ninety: expected a whole number from 0 to 65535.*\n$/)
})
