// One write of a memory into the replica.
//
// H1  A write that does not continue its stream changes nothing and fails: it waits at the head of the memory's lane, so that
//     memory's later writes wait behind it and every other memory goes on. A person decides (README).
// H2  The alarm is raised at the first failure, not when the attempts are used up.

import { SluiceError } from '../../shared/errors/index.ts'
import type { Handler } from '../../shared/function/index.ts'
import type { Instruments } from '../../shared/telemetry/index.ts'
import { applyWrite, readState } from './apply-write.ts'
import type { memoryReplicator } from './function.ts'
import { judgeWrite } from './judge-write.ts'

export interface Deps {
  readonly instruments: Pick<Instruments, 'memoryWalFaults'>
}

export const createHandler =
  ({ instruments }: Deps): Handler<typeof memoryReplicator> =>
  async ({ data: write }, { tx, tenant, log, attempt }) => {
    const verdict = judgeWrite(tenant, write, await readState(tx, tenant, write))
    if (verdict.kind === 'repeat') return
    if (verdict.kind !== 'apply') {
      const { kind, reason } = verdict
      if (attempt === 1) instruments.memoryWalFaults.inc({ fault: kind })
      log.error({ tenant, memory: write.key, fault: kind, reason }, 'the replication of a memory has stopped')
      throw new SluiceError(kind === 'gap' ? 'wal_gap' : 'wal_mismatch', reason)
    }
    await applyWrite(tx, tenant, write)
  }
