export { formatEventLine, readEventLines, type EventLine } from './event-lines.ts'
export { recordEvents, type Recorded, type RecordOptions } from './record-events.ts'
export { replayEvents, type ReplayFailure, type ReplayOptions, type ReplayReport } from './replay-events.ts'
