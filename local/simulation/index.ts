export { createMemoryLog, type MemoryLog } from './memory-log.ts'
export { createVirtualClock, type VirtualClock, type VirtualClockOptions } from './virtual-clock.ts'
