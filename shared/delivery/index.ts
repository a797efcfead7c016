export type { Answer, Delivery, DeliveryContract, Incoming, Outcome, Production, Refused } from './contract.ts'
export type {
  DeliveryOrigin,
  Effects,
  Emit,
  EmitOptions,
  OnceOutcome,
  Step,
  StepEffect,
  StepRun,
  StepsContext,
  StepsHandler,
  TransactionContext,
  TransactionHandler,
} from './handler.ts'
export type { TransactionalOptions, TransactionalRoutes } from './transactional.ts'
