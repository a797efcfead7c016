// The constants that contracts name: one EventType a schema, joined from its type and its validator.

import { generatedNotice, type EventSchema } from './read-schemas.ts'

export function renderEventTypes(schemas: readonly EventSchema[]): string {
  const constants = schemas.map(
    ({ type, typeName, constantName }) =>
      `export const ${constantName}: EventType<'${type}', types.${typeName}> = createEventType('${type}', validators.${constantName})\n`,
  )
  const entries = schemas.map(({ constantName }) => `  ${constantName},\n`)
  return [
    generatedNotice,
    "import { createEventType, type EventType } from '../event-type.ts'\n",
    "import type * as types from './types.ts'\n",
    "import * as validators from './validators.js'\n\n",
    ...constants,
    '\n/** Every event type there is. */\n',
    `export const eventTypes: readonly EventType[] = [\n${entries.join('')}]\n`,
  ].join('')
}
