// `sluice chat`: not part of this version yet.

import type { Command } from '../command.ts'

export const command: Command = {
  summary: 'Chats with the agent in the terminal',
  usage: 'Usage: sluice chat',
  run: () => {
    console.error('sluice chat: this version cannot do that yet')
    return Promise.resolve(1)
  },
}
