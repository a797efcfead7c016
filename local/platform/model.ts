// The model that the platform's worker asks: the rehearsal model, or the provider that MODEL_BASE_URL names.

import type { Config } from '../../shared/config/index.ts'
import { startRehearsalModel } from '../rehearsal-model/index.ts'

export type RehearsalModel = Awaited<ReturnType<typeof startRehearsalModel>>

export interface PlatformModel {
  readonly url: string
  /** Absent when a provider is used. */
  readonly rehearsal?: RehearsalModel
  stop(): Promise<void>
}

export interface RehearsalPace {
  /** Pause before each word of an answer, in milliseconds. */
  readonly delayMs?: number
}

export async function startModel(
  { modelBaseUrl }: Pick<Config, 'modelBaseUrl'>,
  pace: RehearsalPace = {},
): Promise<PlatformModel> {
  if (modelBaseUrl !== '') return { url: modelBaseUrl, stop: () => Promise.resolve() }
  const rehearsal = await startRehearsalModel({ port: 0, ...pace })
  return { url: rehearsal.url, rehearsal, stop: () => rehearsal.stop() }
}
