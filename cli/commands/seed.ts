// `sluice seed`: loads local/seeds/*.yaml, as often as one likes.

import { parseArgs } from 'node:util'
import { loadSeeds } from '../../local/seeds/index.ts'
import type { Command } from '../command.ts'
import { projectRoot } from '../project.ts'
import { withDatabase } from '../stores.ts'

export const command: Command = {
  summary: 'Loads the seeds into the database',
  usage: `Usage: sluice seed

Puts the rows of local/seeds/*.yaml (model profiles, tool catalogue, tenants, personas) into the database of npm start, or
into that of DATABASE_URL. Rows that exist get the values of the seeds; other rows stay.`,
  run: async (args) => {
    parseArgs({ args: [...args], options: {} })
    const rows = await withDatabase((database) => loadSeeds(database, { root: projectRoot }))
    console.log(`${rows} rows are as the seeds say.`)
    return 0
  },
}
