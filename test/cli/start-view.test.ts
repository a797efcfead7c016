import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStartView, type StartView } from '../../cli/start-view.ts'

function view(): { readonly view: StartView; readonly said: readonly string[] } {
  const said: string[] = []
  let ms = 0
  return { said, view: createStartView({ say: (line) => said.push(line), clock: { monotonic: () => (ms += 1_500) } }) }
}

test('a step is a line with the time it took', () => {
  const { view: shown, said } = view()
  shown.onStep({ step: 'postgres', version: '18.4' })
  shown.onStep({ step: 'migrated', files: 1 })
  shown.onStep({ step: 'seeded', rows: 12 })
  shown.onStep({ step: 'functions', names: ['gateway', 'tool-executor'] })
  assert.deepEqual(said, [
    '  Postgres 18.4 runs (1.5 s)',
    '  database prepared: 1 migration (1.5 s)',
    '  seeds loaded: 12 rows (1.5 s)',
    '  functions run: gateway, tool-executor (1.5 s)',
  ])
})

test('a crash is one line, and so is the return', () => {
  const { view: shown, said } = view()
  shown.onProcess({ kind: 'started', process: 'gateway', pid: 1 })
  shown.onProcess({ kind: 'ready', process: 'gateway', afterMs: 900, starts: 1 })
  shown.onProcess({ kind: 'ended', process: 'gateway', how: 'SIGKILL', lastWords: '', restartInMs: 100 })
  shown.onProcess({ kind: 'ended', process: 'gateway', how: 'code 1', lastWords: 'PORT=x', restartInMs: 200 })
  shown.onProcess({ kind: 'ready', process: 'gateway', afterMs: 900, starts: 2 })
  shown.onProcess({ kind: 'restarting', process: 'gateway', reason: 'functions/gateway/app.ts changed' })
  assert.deepEqual(said, [
    'gateway ended (SIGKILL); starting it again in 0.1 s',
    'gateway ended (code 1): PORT=x; starting it again in 0.2 s',
    'gateway is back after 0.9 s',
    'gateway restarts: functions/gateway/app.ts changed',
  ])
})

test('the block says where everything is and what to try', () => {
  const { view: shown, said } = view()
  shown.ready({
    gatewayUrl: 'http://127.0.0.1:8080',
    readyMs: 2_340,
    logs: '.sluice/logs',
    data: '/p/.sluice/postgres',
    model: '',
  })
  const [block = ''] = said
  for (const part of [
    'Sluice is ready (2.3 s)',
    'http://127.0.0.1:8080',
    'npx sluice chat',
    'npx sluice send',
    'curl',
    'rehearsal model',
    '.sluice/logs/<process>.log',
    '/p/.sluice/postgres',
    'Ctrl-C',
  ])
    assert.ok(block.includes(part), part)
})

test('while it stops, the ends of processes are not news', () => {
  const { view: shown, said } = view()
  shown.stopping(undefined)
  shown.onProcess({ kind: 'ended', process: 'gateway', how: 'code 0', lastWords: '', restartInMs: 100 })
  shown.stopped()
  assert.equal(said.length, 2)
})
