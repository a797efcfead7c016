export { errorLabel } from './error-label.ts'
export { errorCodes, isErrorCode, type ErrorCode, type ErrorMeaning } from './error-codes.ts'
export { RejectedError, RetryLaterError, SluiceError, type SluiceErrorOptions } from './sluice-error.ts'
export { classifyError, isDatabaseBusy, isDatabaseLost, messageOf, sqlState, type Verdict } from './classify-error.ts'
