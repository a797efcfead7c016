export type { Component, ComponentHealth } from './component.ts'
export { startComponents, type RunningComponents } from './run-components.ts'
export { createFailpoints, type Failpoints } from './failpoints.ts'
