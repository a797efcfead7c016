export { allotPorts, isFree } from './ports.ts'
export { createRunner, type Runner } from './runner.ts'
export type { ProcessEvent, ProcessSpec, SupervisedProcess } from './supervised-process.ts'
export { createSourceWatch } from './watch-sources.ts'
