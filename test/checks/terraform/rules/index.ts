// What must hold for every environment and what no validator knows. One file for each rule.

import { bucketsArePrivate } from './buckets-are-private.ts'
import { dataIsKept } from './data-is-kept.ts'
import { descriptionsAreTaken } from './descriptions-are-taken.ts'
import { kindsExist } from './kinds-exist.ts'
import { networksAreClosed } from './networks-are-closed.ts'
import { noSecretValues } from './no-secret-values.ts'
import { policiesAreNarrow } from './policies-are-narrow.ts'
import type { Rule } from './rule.ts'
import { sentEncrypted } from './sent-encrypted.ts'
import { storedEncrypted } from './stored-encrypted.ts'

export const rules: readonly Rule[] = [
  networksAreClosed,
  storedEncrypted,
  sentEncrypted,
  bucketsArePrivate,
  policiesAreNarrow,
  dataIsKept,
  kindsExist,
  descriptionsAreTaken,
  noSecretValues,
]
