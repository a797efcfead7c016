// Applies the migrations of a folder, as a starting process does: run-migrate.ts <url> <folder>

import { migrate } from '../../../shared/database/index.ts'
import { makeDatabase, silent as log } from './open-database.ts'

const [url = '', directory = ''] = process.argv.slice(2)
const database = makeDatabase(url)
await database.start(AbortSignal.timeout(30_000))
const applied = await migrate(database, { directory, log })
await database.stop()
console.log(`applied ${applied.length}`)
