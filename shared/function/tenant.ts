// What the name of a tenant looks like, wherever a caller tells one: what one function lets in, the next must take.

const form = /^[a-z0-9][a-z0-9._-]{0,62}$/

export const isTenant = (value: unknown): value is string => typeof value === 'string' && form.test(value)
