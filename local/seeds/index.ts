export { loadSeeds, seedEmptyDatabase, type SeedOptions } from './load-seeds.ts'
