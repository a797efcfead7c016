export { isAlive, startChild, type ChildOfTest, type StartChildOptions } from './child-process.ts'
export { until, type UntilOptions } from './until.ts'
