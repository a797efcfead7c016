// `sluice replay`: not part of this version yet.

import type { Command } from '../command.ts'

export const command: Command = {
  summary: 'Posts recorded events to a function',
  usage: 'Usage: sluice replay',
  run: () => {
    console.error('sluice replay: this version cannot do that yet')
    return Promise.resolve(1)
  },
}
