export { spawnGuarded, type GuardedChild, type GuardedChildOptions } from './guarded-child.ts'
