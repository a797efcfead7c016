import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Session } from '../../../shared/database/session.ts'
import { createWaitingLine } from '../../../shared/database/waiting-line.ts'
import { createManualClock } from '../../support/index.ts'

/** A session of which nothing but its return is asked. */
function lent() {
  let returned = 0
  const session = { release: () => void (returned += 1) } as unknown as Session
  return { session, returned: () => returned }
}

test('who came first is served first, and no follower passes one that does not follow', async () => {
  const line = createWaitingLine(100, { clock: createManualClock() })
  const [one, two, three] = [lent(), lent(), lent()]
  const waits = [line.join(true), line.join(false), line.join(true)]
  line.nextFollower()?.take(one.session)
  assert.equal(line.nextFollower(), undefined)
  line.next()?.take(two.session)
  line.nextFollower()?.take(three.session)
  assert.deepEqual(await Promise.all(waits), [one.session, two.session, three.session])
  assert.equal(line.next(), undefined)
})

test('who has waited too long leaves the line', async () => {
  const clock = createManualClock()
  const line = createWaitingLine(100, { clock })
  const tooLong = assert.rejects(line.join(false), { code: 'database_unavailable' })
  await clock.advance(50)
  const { session } = lent()
  const second = line.join(false)
  await clock.advance(50)
  await tooLong
  line.next()?.take(session)
  assert.equal(await second, session)
})

test('a session that comes too late is given back', async () => {
  const clock = createManualClock()
  const line = createWaitingLine(100, { clock })
  const tooLong = assert.rejects(line.join(false), { code: 'database_unavailable' })
  const first = line.next() // a connection is made for it, which takes its time
  await clock.advance(100)
  await tooLong
  const { session, returned } = lent()
  first?.take(session)
  assert.equal(returned(), 1)
})
