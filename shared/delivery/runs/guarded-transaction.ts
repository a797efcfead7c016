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
  const over = (): Promise<never> =>
    Promise.reject(new SluiceError('aborted', 'The run that this transaction belonged to is over'))
  return {
    tx: {
      query: (sql, values) => unheard(open ? tx.query(sql, values) : over()),
      savepoint: (work) => (open ? tx.savepoint(work) : over()),
    },
    close: () => {
      open = false
    },
  }
}

/** A statement that its handler did not await may fail: the transaction fails by it, and the process is not to end by it, too. */
function unheard<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => undefined)
  return answer
}
