// One subscription at the store for all who want the same name: the first to come opens it, the last to go closes it. Who
// comes while it is being closed waits for that, or the closing would take the new subscription with it.

import type { Subscription } from '../database/index.ts'

export interface SharedSubscriptions {
  /** Resolves when the subscription is in effect. */
  join(name: string): Promise<Subscription>
  /** Closes all. */
  stop(): Promise<void>
}

interface Shared {
  users: number
  readonly opening: Promise<Subscription>
}

export function createSharedSubscriptions(open: (name: string) => Promise<Subscription>): SharedSubscriptions {
  const all = new Map<string, Shared>()
  const closings = new Map<string, Promise<void>>()

  function find(name: string): Shared {
    const present = all.get(name)
    if (present !== undefined) return present
    const closing = closings.get(name)
    const shared = { users: 0, opening: closing === undefined ? open(name) : closing.then(() => open(name)) }
    all.set(name, shared)
    return shared
  }

  async function leave(name: string, shared: Shared): Promise<void> {
    shared.users -= 1
    if (shared.users > 0) return
    if (all.get(name) === shared) all.delete(name)
    const closing = close(shared)
    closings.set(name, closing)
    await closing.finally(() => {
      if (closings.get(name) === closing) closings.delete(name)
    })
  }

  return {
    join: async (name) => {
      const shared = find(name)
      shared.users += 1
      let left: Promise<void> | undefined
      const stop = (): Promise<void> => (left ??= leave(name, shared))
      try {
        await shared.opening
        return { stop }
      } catch (error) {
        await stop()
        throw error
      }
    },
    stop: async () => {
      const open = [...all.values()]
      all.clear()
      for (const shared of open) await close(shared)
    },
  }
}

async function close({ opening }: Shared): Promise<void> {
  const subscription = await opening.catch(() => undefined) // its users were told
  await subscription?.stop()
}
