// The transaction as a handler sees it: it closes when the run is over, so that a handler that went on after its time limit
// cannot write into what became of the transaction.

import type { Transaction } from '../../database/index.ts'
import { SluiceError } from '../../errors/index.ts'

export interface GuardedTransaction {
  readonly tx: Transaction
  readonly close: () => void
}

export function guardTransaction(tx: Transaction): GuardedTransaction {
  let open = true
  const refuseWhenClosed = (): void => {
    if (!open) throw new SluiceError('aborted', 'The run that this transaction belonged to is over')
  }
  return {
    tx: {
      query: async (sql, values) => {
        refuseWhenClosed()
        return tx.query(sql, values)
      },
      savepoint: async (work) => {
        refuseWhenClosed()
        return tx.savepoint(work)
      },
    },
    close: () => {
      open = false
    },
  }
}
