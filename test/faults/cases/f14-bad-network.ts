// F14: the network is slow, cuts everything to pieces, or breaks off. Work goes on, slower.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, FaultCase } from '../case.ts'
import type { FaultyServer } from '../world/servers.ts'
import type { ProxyCounts, ToxicProxy } from '../world/toxic-proxy.ts'

const badMs = { smoke: 4_000, full: 60_000 }

interface BadNetwork {
  readonly title: string
  readonly make: (proxy: ToxicProxy) => void
  readonly count: keyof ProxyCounts
  /** Must every message be taken? */
  readonly allTaken: boolean
}

const networks: readonly BadNetwork[] = [
  {
    title: 'every packet to and from every server takes 100 ± 20 ms',
    make: (proxy) => proxy.delay({ ms: 100, jitterMs: 20 }),
    count: 'delayed',
    allTaken: true,
  },
  {
    title: 'every chunk arrives in slices of one byte',
    make: (proxy) => proxy.slice(1),
    count: 'slices',
    allTaken: true,
  },
  {
    title: 'each connection breaks off after 20,000 bytes',
    make: (proxy) => proxy.cutAfter(20_000),
    count: 'cut',
    allTaken: false,
  },
]

export const badNetworkCases: readonly FaultCase[] = networks.map((network) => ({
  id: 'F14',
  title: network.title,
  limitMs: 120_000,
  run: (fault) => suffer(fault, network),
}))

async function suffer({ world, proven, note, atEnd, full }: Fault, network: BadNetwork): Promise<void> {
  const { postgres, redis, kafka, traffic } = await world()
  const servers = [postgres, redis, kafka].filter((server): server is FaultyServer => server !== undefined)
  const before = servers.map(({ proxy }) => proxy.counts[network.count])
  atEnd(() => servers.forEach(({ proxy }) => proxy.mend()))
  for (const { proxy } of servers) network.make(proxy)
  const begun = performance.now()
  traffic.start()
  await sleep(badMs[full ? 'full' : 'smoke'])
  const counts = servers.map(({ proxy, name }, at) => `${proxy.counts[network.count] - (before[at] ?? 0)} at ${name}`)
  assert.ok(postgres.proxy.counts[network.count] > (before[0] ?? 0))
  proven(`${network.count}: ${counts.join(', ')}`)
  const answers = traffic.answers(begun)
  const taken = answers.filter(({ status }) => status === 202)
  assert.ok(taken.length > 0, 'no message was taken')
  if (network.allTaken) assert.deepEqual([...new Set(answers.map(({ status }) => status))], [202])
  const sorted = taken.map(({ ms }) => ms).toSorted((a, b) => a - b)
  note(`${taken.length} of ${answers.length} taken, half of them within ${sorted[sorted.length >> 1]?.toFixed(0)} ms`)
}
