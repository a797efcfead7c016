export { startRehearsalModel } from './rehearsal-model.ts'
export { parseScript } from './script.ts'
