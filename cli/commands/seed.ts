// `sluice seed`: not part of this version yet.

import type { Command } from '../command.ts'

export const command: Command = {
  summary: 'Loads the seeds into the database',
  usage: 'Usage: sluice seed',
  run: () => {
    console.error('sluice seed: this version cannot do that yet')
    return Promise.resolve(1)
  },
}
