// The smallest function there is: no database, no log, no model. What it takes to start is what every function takes.

import { conversationMessageReceived, topics } from '../../../shared/events/index.ts'
import { defineFunction, serve } from '../../../shared/function/index.ts'

const slim = defineFunction({
  name: 'slim',
  purpose: 'Starts as fast as a function can',
  consumes: [{ topic: topics.conversationInbound, type: conversationMessageReceived }],
  produces: [],
  execution: 'stateless',
  ordering: 'none',
  needs: [],
  scale: { min: 0, max: 1, concurrency: 100 },
})

await serve(slim, async () => undefined)
