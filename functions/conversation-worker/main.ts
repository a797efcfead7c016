import { serve } from '../../shared/function/index.ts'
import { createChangeSession } from './change-session.ts'
import { conversationWorker } from './function.ts'
import { createHandler } from './handler.ts'
import { createLeadTurn } from './lead-turn.ts'
import { createTurnStops } from './turn-stops.ts'

await serve(conversationWorker, {
  compose: (resources) => {
    const { turnDeadlineMs, modelName } = resources.config
    const stops = createTurnStops({}, resources)
    const change = createChangeSession(resources)
    const leadTurn = createLeadTurn({ ...resources, stops, change, modelName })
    return { handler: createHandler({ change, leadTurn, turnDeadlineMs }), components: [stops] }
  },
})
