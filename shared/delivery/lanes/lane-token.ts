// `sluice-lane-token: <uuid>.<epoch>`: the lane driver's offer of one run, good for one start.

export interface LaneToken {
  readonly token: string
  readonly epoch: number
}

export const laneTokenHeader = 'sluice-lane-token'

export const formatLaneToken = ({ token, epoch }: LaneToken): string => `${token}.${epoch}`

const pattern = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(\d{1,15})$/

export function parseLaneToken(text: string): LaneToken | undefined {
  const [, token, epoch] = pattern.exec(text) ?? []
  return token === undefined || epoch === undefined ? undefined : { token, epoch: Number(epoch) }
}
