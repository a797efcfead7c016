// `sluice options`: not part of this version yet.

import type { Command } from '../command.ts'

export const command: Command = {
  summary: 'Lists every option with its variable and default',
  usage: 'Usage: sluice options',
  run: () => {
    console.error('sluice options: this version cannot do that yet')
    return Promise.resolve(1)
  },
}
