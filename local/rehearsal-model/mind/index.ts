export { think, type Reply } from './think.ts'
