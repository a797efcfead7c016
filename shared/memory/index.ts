export {
  memoryLimits,
  memoryTenantHeader,
  type Memory,
  type MemoryToRemember,
  type RecalledMemory,
  type RecallQuestion,
  type Remembered,
} from './memory.ts'
export { createHttpMemory } from './http-memory.ts'
export { chainBegin, checksumOf, streamOf } from './write-chain.ts'
export { formatPosition, parsePosition, type Position } from './position.ts'
export { wordsOf } from './words.ts'
export {
  claimMemoryWrites,
  memoryWork,
  removeMemoryWrite,
  returnMemoryWrite,
  storeMemoryWrite,
  type ClaimedWrite,
  type MemoryWrite,
} from './write-outbox.ts'
