// `sluice send`: not part of this version yet.

import type { Command } from '../command.ts'

export const command: Command = {
  summary: 'Sends one message and prints the turn',
  usage: 'Usage: sluice send',
  run: () => {
    console.error('sluice send: this version cannot do that yet')
    return Promise.resolve(1)
  },
}
