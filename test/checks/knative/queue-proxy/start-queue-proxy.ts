// Knative's queue-proxy in front of a process of the test, with the environment that the controller of Serving writes for a Service
// with `readinessProbe: {httpGet: {path: /ready}}`. Its ports 8022 and 9090 are fixed, so there is one at a time on a machine.

import type { TestContext } from 'node:test'
import { allotPorts } from '../../../../local/runner/index.ts'
import { projectRoot, startChild, type ChildOfTest } from '../../../support/index.ts'
import { builtGoTool, goTools } from '../go-tools.ts'

export interface QueueProxyOptions {
  /** Of the process behind. */
  readonly userPort: number
  /** 0: no limit. */
  readonly containerConcurrency?: number
  readonly timeoutSeconds?: number
  readonly responseStartTimeoutSeconds?: number
  /** 0: off. */
  readonly idleTimeoutSeconds?: number
}

export interface QueueProxy extends ChildOfTest {
  readonly port: number
}

export const queueProxyPath = (): string | undefined => builtGoTool(projectRoot, goTools.queueProxy)

export async function startQueueProxy(t: TestContext, options: QueueProxyOptions): Promise<QueueProxy> {
  const { userPort, containerConcurrency = 0, timeoutSeconds = 300, idleTimeoutSeconds = 0 } = options
  const [port = 0, tlsPort = 0] = await allotPorts(2)
  const name = 'fn'
  const probe = { httpGet: { path: '/ready', port: userPort, host: '127.0.0.1', scheme: 'HTTP' }, successThreshold: 1 }
  const child = startChild(t, [], {
    file: queueProxyPath() ?? '',
    env: {
      SERVING_NAMESPACE: 'default',
      SERVING_SERVICE: name,
      SERVING_CONFIGURATION: name,
      SERVING_REVISION: `${name}-00001`,
      SERVING_POD: `${name}-00001-deployment-0`,
      SERVING_POD_IP: '127.0.0.1',
      HOST_IP: '127.0.0.1',
      SYSTEM_NAMESPACE: 'knative-serving',
      QUEUE_SERVING_PORT: String(port),
      QUEUE_SERVING_TLS_PORT: String(tlsPort),
      USER_PORT: String(userPort),
      CONTAINER_CONCURRENCY: String(containerConcurrency),
      REVISION_TIMEOUT_SECONDS: String(timeoutSeconds),
      REVISION_RESPONSE_START_TIMEOUT_SECONDS: String(options.responseStartTimeoutSeconds ?? timeoutSeconds),
      REVISION_IDLE_TIMEOUT_SECONDS: String(idleTimeoutSeconds),
      SERVING_READINESS_PROBE: JSON.stringify(probe),
      ENABLE_HTTP2_AUTO_DETECTION: 'false',
      ENABLE_HTTP_FULL_DUPLEX: 'false',
      ENABLE_MULTI_CONTAINER_PROBES: 'false',
      SERVING_LOGGING_CONFIG: '',
      SERVING_LOGGING_LEVEL: 'info',
    },
  })
  await child.line(/Starting queue-proxy|listening|Starting http server/i, { limitMs: 30_000 })
  return { ...child, port }
}

/** As the kubelet asks: answered by queue-proxy itself, once the process behind is ready. */
export async function kubeletProbe(port: number): Promise<{ readonly status: number; readonly body: string }> {
  const headers = { 'user-agent': 'kube-probe/1.36', 'k-network-probe': 'queue' }
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers })
  return { status: response.status, body: await response.text() }
}
