// The formats that schemas of routes may name.

import type { Ajv } from 'ajv'
import addFormats from 'ajv-formats'

export const formats = (ajv: Ajv): Ajv => addFormats.default(ajv)
