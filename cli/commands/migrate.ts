// `sluice migrate`: brings a database to the schema of this version, before functions of this version start on it.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { migrate } from '../../shared/database/index.ts'
import type { Command } from '../command.ts'
import { projectRoot } from '../project.ts'
import { log, withDatabase } from '../stores.ts'

export const command: Command = {
  summary: 'Applies the migrations that a database lacks',
  usage: `Usage: sluice migrate

Applies the files of schemas/database that the database of DATABASE_URL lacks, all or none; npm start does it by itself.
Any number of calls at once do it once. Functions of the version before keep running on the newer schema.`,
  run: async (args) => {
    parseArgs({ args: [...args], options: {} })
    const directory = join(projectRoot, 'schemas', 'database')
    const applied = await withDatabase((database) => migrate(database, { directory, log }))
    for (const { name } of applied) console.log(name)
    console.log(`${applied.length} migrations applied.`)
    return 0
  },
}
