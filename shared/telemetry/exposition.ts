// The metrics of a process as text: in OpenMetrics, with exemplars, for whoever accepts that, and otherwise in the older format
// of Prometheus, which has none.

import { Registry, type Metric, type RegistryContentType } from 'prom-client'

export interface Exposition {
  /** The answer to a scrape, for its Accept header. */
  scrape(accept: string | undefined): Promise<Scrape>
  /** In the format of Prometheus. */
  metrics(): Promise<string>
}

export interface Scrape {
  readonly contentType: string
  readonly body: string
}

const open = Registry.OPENMETRICS_CONTENT_TYPE
const plain = Registry.PROMETHEUS_CONTENT_TYPE

/** A registry of prom-client speaks one format for good, so each scrape gets one of its own with views of the same metrics. */
export function createExposition(
  source: Registry<RegistryContentType>,
  labels: Readonly<Record<string, string>>,
): Exposition {
  const textIn = (contentType: RegistryContentType): Promise<string> => {
    const registry = new Registry<RegistryContentType>()
    registry.setContentType(contentType)
    registry.setDefaultLabels(labels)
    for (const metric of source.getMetricsAsArray())
      registry.registerMetric(viewOf(metric as unknown as ReadMetric, contentType))
    return registry.metrics()
  }
  return {
    scrape: async (accept) => {
      const contentType = /application\/openmetrics-text/i.test(accept ?? '') ? open : plain
      return { contentType, body: await textIn(contentType) }
    },
    metrics: () => textIn(plain),
  }
}

interface ReadMetric {
  readonly name: string
  readonly type: string
  get(): Promise<{ readonly name: string }>
}

/** prom-client renames counters when it writes OpenMetrics, where `_total` belongs to the sample; the view is renamed instead. */
function viewOf(metric: ReadMetric, contentType: RegistryContentType): Metric {
  const { name, type } = metric
  const shown = contentType === open && type === 'counter' ? name.replace(/_total$/, '') : name
  const get = async (): Promise<object> => ({ ...(await metric.get()), name: shown })
  return { name: shown, type, get } as unknown as Metric
}
