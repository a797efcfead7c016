// All processes of the platform: started side by side, ready together, ended together.

import type { Component } from '../../shared/lifecycle/index.ts'
import type { Clock } from '../../shared/time/index.ts'
import {
  createSupervisedProcess,
  type ProcessEvent,
  type ProcessSpec,
  type SupervisedProcess,
} from './supervised-process.ts'

export interface Runner extends Component {
  readonly processes: readonly SupervisedProcess[]
  process(name: string): SupervisedProcess | undefined
}

export function createRunner(
  specs: readonly ProcessSpec[],
  deps: { readonly clock: Clock; readonly onEvent: (event: ProcessEvent) => void },
): Runner {
  const processes = specs.map((spec) => createSupervisedProcess(spec, deps))
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map((one) => one.stop()))
  }
  return {
    name: 'process runner',
    processes,
    process: (name) => processes.find(({ spec }) => spec.name === name),
    health: () => ({ status: processes.every((one) => one.isReady()) ? 'up' : 'down' }),
    start: async (signal) => {
      try {
        await Promise.all(processes.map((one) => one.start(signal)))
      } catch (error) {
        await stop()
        throw error
      }
    },
    stop,
  }
}
