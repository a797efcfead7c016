// Google's Functions Framework as it is, with the CloudEvent signature and a function that does nothing.

import { cloudEvent } from '@google-cloud/functions-framework'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { announce } from './announce.ts'

cloudEvent('bench', async () => undefined)
announce(getTestServer('bench'))
