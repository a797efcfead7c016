// Annotations that nothing reads: of KEDA on a KafkaSource, of the autoscaler on a Service.

import { isKafkaSource } from '../kafka-source.ts'
import { numberAt, objectAt, type Manifest, type Path } from '../manifest.ts'
import { kafkaBroker, knativeDocs, serving } from '../references.ts'
import type { Rule } from '../rule.ts'
import { isService, templateAnnotations } from '../service.ts'

const ofSource = 'autoscaling.eventing.knative.dev/'
const ofService = 'autoscaling.knative.dev/'
const sourceNames = [
  'class',
  'min-scale',
  'max-scale',
  'polling-interval',
  'cooldown-period',
  'lag-threshold',
  'activation-lag-threshold',
]
// pkg/apis/autoscaling/register.go: each but class and metric has a camel-case alias.
const serviceNames = [
  'class',
  'metric',
  'target',
  'target-utilization-percentage',
  'min-scale',
  'max-scale',
  'initial-scale',
  'activation-scale',
  'scale-down-delay',
  'window',
  'panic-window-percentage',
  'panic-threshold-percentage',
  'target-burst-capacity',
  'scale-to-zero-pod-retention-period',
  'metric-aggregation-algorithm',
  'algorithm',
]

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
const afterSlash = (name: string): string => name.slice(name.indexOf('/') + 1)
const path = ['metadata', 'annotations'] as const

export const kedaAnnotation: Rule = {
  id: 'keda-annotation',
  summary: 'A scaling annotation of a KafkaSource that the controller does not read.',
  references: [
    kafkaBroker('control-plane/pkg/autoscaler/autoscaler_api.go'),
    knativeDocs('eventing/configuration/keda-configuration'),
  ],
  on: isKafkaSource,
  *check(source) {
    const annotations = objectAt(source.value, path)
    for (const name of Object.keys(annotations)) {
      const [prefix = ''] = name.split('/')
      const scales = prefix.endsWith('knative.dev') && prefix.includes('autoscaling')
      if (!scales || (name.startsWith(ofSource) && sourceNames.includes(afterSlash(name)))) continue
      const meant = kebab(afterSlash(name))
      yield {
        level: 'error',
        path: [...path, name],
        message: `${name} is read by nothing on a KafkaSource: it stays at its ${String(numberAt(source.value, ['spec', 'consumers']) ?? 1)} consumers`,
        remedy: sourceNames.includes(meant)
          ? `${ofSource}${meant}`
          : `one of ${sourceNames.map((known) => `${ofSource}${known}`).join(', ')}`,
      }
    }
  },
}

export const consumersIgnored: Rule = {
  id: 'consumers-ignored',
  summary: 'With KEDA on, spec.consumers is ignored.',
  references: [kafkaBroker('control-plane/pkg/autoscaler/autoscaler_api.go')],
  on: isKafkaSource,
  *check(source) {
    const consumers = numberAt(source.value, ['spec', 'consumers'])
    const scaled = objectAt(source.value, path)[`${ofSource}class`] === 'keda.autoscaling.knative.dev'
    if (consumers === undefined || !scaled) return
    yield {
      level: 'warning',
      path: ['spec', 'consumers'],
      message: `consumers: ${consumers} beside class keda.autoscaling.knative.dev: KEDA decides, from min-scale (0) to max-scale (50)`,
      remedy: `leave consumers out, or set ${ofSource}min-scale`,
    }
  },
}

export const serviceAnnotation: Rule = {
  id: 'autoscaling-annotation',
  summary:
    'An autoscaling annotation of a Service that the autoscaler does not read, or that stands in the wrong place.',
  references: [serving('pkg/apis/autoscaling/register.go'), knativeDocs('serving/autoscaling/autoscaler-types')],
  on: isService,
  *check(service) {
    for (const name of scalingNames(service, path)) {
      yield {
        level: 'error',
        path: [...path, name],
        message: `${name} on the Service itself is refused by the webhook`,
        remedy: 'spec.template.metadata.annotations',
      }
    }
    for (const name of scalingNames(service, templateAnnotations)) {
      const meant = kebab(afterSlash(name))
      if (name.startsWith(ofService) && serviceNames.includes(meant)) continue
      yield {
        level: 'error',
        path: [...templateAnnotations, name],
        message: `${name} is read by nothing on a Service`,
        remedy: name.startsWith(ofService) ? `one of ${serviceNames.join(', ')}` : `${ofService}${meant}`,
      }
    }
  },
}

const scalingNames = ({ value }: Manifest, at: Path): readonly string[] =>
  Object.keys(objectAt(value, at)).filter((name) => /^[a-z.]*autoscaling[a-z.]*knative\.dev\//.test(name))
