// What every adapter of the event log must do. Each test file of an adapter calls this with its own way to open a log.

import { test } from 'node:test'
import { appendContract } from './appends.ts'
import type { Contract, OpenLog } from './fixture.ts'
import { offsetContract } from './offsets-and-topics.ts'
import { outageContract } from './outages.ts'
import { readContract } from './reads.ts'

export type { OpenedLog } from './fixture.ts'

const limit = { timeout: 60_000 }

export function eventLogContract(adapter: string, openLog: OpenLog): void {
  const contract: Contract = (title, body) => {
    test(`${adapter}: ${title}`, limit, async (t) => {
      const opened = await openLog(t)
      if (opened === undefined) return
      const log = await opened.open()
      const topic = async (partitions: number): Promise<string> => {
        const name = opened.uniqueName('contract')
        await log.ensureTopics([{ name, partitions }])
        return name
      }
      await body({ ...opened, log, topic })
    })
  }

  for (const part of [appendContract, readContract, offsetContract, outageContract]) part(contract)
}
