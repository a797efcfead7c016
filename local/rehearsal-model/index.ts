export { startRehearsalModel, type RehearsalModel, type RehearsalModelOptions } from './rehearsal-model.ts'
export { parseScript, type Rule, type Script, type ThenAction, type WhenCondition } from './script.ts'
export type { LedgerEntry } from './ledger.ts'
