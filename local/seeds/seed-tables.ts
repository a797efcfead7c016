// The tables that seeds may fill, with their keys. A seed file is YAML: table name, then rows of column and value.

export interface SeedTable {
  readonly name: string
  readonly key: readonly string[]
  /** Columns that hold JSON. */
  readonly json: readonly string[]
}

/** In the order in which they are filled. */
export const seedTables: readonly SeedTable[] = [
  { name: 'tenant', key: ['tenant'], json: [] },
  { name: 'model_profile', key: ['tenant', 'profile'], json: [] },
  { name: 'tool_catalog', key: ['tenant', 'tool'], json: ['parameters'] },
  { name: 'persona', key: ['tenant', 'persona_id'], json: [] },
]
