import { createKafkaEventLog } from '../../../shared/event-log/index.ts'
import { createLogger } from '../../../shared/telemetry/index.ts'
import { systemClock as clock } from '../../../shared/time/index.ts'
import { eventLogContract } from '../../contracts/event-log.ts'
import { atEnd, kafkaForTests } from '../../support/index.ts'

const log = createLogger({ function: 'test', level: 'silent' })

eventLogContract('kafka', async (t) => {
  const kafka = await kafkaForTests(t)
  if (kafka === undefined) return undefined
  return {
    uniqueName: kafka.uniqueName,
    open: async () => {
      const eventLog = createKafkaEventLog({ brokers: kafka.brokers.split(','), clientId: 'test' }, { clock, log })
      await eventLog.start(t.signal)
      atEnd(t, () => eventLog.stop())
      return eventLog
    },
  }
})
