// `sluice record`: not part of this version yet.

import type { Command } from '../command.ts'

export const command: Command = {
  summary: 'Writes the events of a topic to standard output',
  usage: 'Usage: sluice record',
  run: () => {
    console.error('sluice record: this version cannot do that yet')
    return Promise.resolve(1)
  },
}
