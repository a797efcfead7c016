// Named points where a crash test ends the process. Inert unless the process was started in test mode and names them.

import type { Config } from '../config/index.ts'

/** Passes a named point. In a crash test the process may end here by SIGKILL, as if the power went. */
export type Failpoints = (name: string) => void

export function createFailpoints({ testMode, failpoints }: Pick<Config, 'testMode' | 'failpoints'>): Failpoints {
  if (!testMode || failpoints.size === 0) return () => undefined
  const passes = new Map<string, number>()
  return (name) => {
    const action = failpoints.get(name)
    if (action === undefined) return
    const pass = (passes.get(name) ?? 0) + 1
    passes.set(name, pass)
    const [verb, at = '1'] = action.split('@')
    if (verb === 'kill' && pass === Number(at)) process.kill(process.pid, 'SIGKILL')
  }
}
