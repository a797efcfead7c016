// `sluice start`: not part of this version yet.

import type { Command } from '../command.ts'

export const command: Command = {
  summary: 'Starts the platform on this machine',
  usage: 'Usage: sluice start',
  run: () => {
    console.error('sluice start: this version cannot do that yet')
    return Promise.resolve(1)
  },
}
