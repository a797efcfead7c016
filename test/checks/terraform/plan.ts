// What `terraform show -json` says, in the form that rules read: resources with the values they will have after variables, counts and
// module calls, and the configuration, for links between resources whose values are not known yet.

export interface Resource {
  readonly address: string
  readonly type: string
  readonly values: Readonly<Record<string, unknown>>
}

export interface ConfiguredResource {
  /** Without indices: module.buckets.aws_s3_bucket.this */
  readonly address: string
  readonly type: string
  /** Addresses that an argument refers to, by argument. */
  readonly references: Readonly<Record<string, readonly string[]>>
}

export interface Plan {
  readonly environment: string
  readonly resources: readonly Resource[]
  readonly configured: readonly ConfiguredResource[]
}

interface ValuesModule {
  readonly resources?: readonly (Resource & { readonly mode: string })[]
  readonly child_modules?: readonly ValuesModule[]
}

interface ConfiguredModule {
  readonly resources?: readonly {
    readonly address: string
    readonly type: string
    readonly mode: string
    readonly expressions?: Readonly<Record<string, unknown>>
    readonly for_each_expression?: unknown
  }[]
  readonly module_calls?: Readonly<Record<string, { readonly module: ConfiguredModule }>>
}

export interface ShownPlan {
  readonly planned_values: { readonly root_module: ValuesModule }
  readonly configuration: { readonly root_module: ConfiguredModule }
}

export interface ShownState {
  readonly values: { readonly root_module: ValuesModule }
}

/** With a state, the values are those after apply, so that nothing is unknown. */
export function readPlan(environment: string, plan: ShownPlan, state?: ShownState): Plan {
  return {
    environment,
    resources: resourcesOf(state?.values.root_module ?? plan.planned_values.root_module),
    configured: configuredIn(plan.configuration.root_module, ''),
  }
}

function resourcesOf({ resources = [], child_modules = [] }: ValuesModule): readonly Resource[] {
  const own = resources.filter(({ mode }) => mode === 'managed')
  return [...own, ...child_modules.flatMap(resourcesOf)]
}

function configuredIn(
  { resources = [], module_calls = {} }: ConfiguredModule,
  path: string,
): readonly ConfiguredResource[] {
  const own = resources
    .filter(({ mode }) => mode === 'managed')
    .map(({ address, type, expressions = {}, for_each_expression }) => ({
      address: path + address,
      type,
      references: referencesIn({ ...expressions, for_each: for_each_expression }),
    }))
  const inner = Object.entries(module_calls).flatMap(([name, { module }]) =>
    configuredIn(module, `${path}module.${name}.`),
  )
  return [...own, ...inner]
}

function referencesIn(expressions: Readonly<Record<string, unknown>>): ConfiguredResource['references'] {
  return Object.fromEntries(
    Object.entries(expressions).map(([name, expression]) => {
      const { references = [] } = (expression ?? {}) as { readonly references?: readonly string[] }
      return [name, references]
    }),
  )
}

export const ofType = ({ resources }: Plan, ...types: readonly string[]): readonly Resource[] =>
  resources.filter(({ type }) => types.includes(type))

/** Empty when there is none. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** A nested block: Terraform shows it as a list of one. */
export function nested(
  values: Readonly<Record<string, unknown>>,
  ...path: readonly string[]
): Readonly<Record<string, unknown>> {
  return path.reduce<Readonly<Record<string, unknown>>>((inner, name) => {
    const value = inner[name]
    return (Array.isArray(value) ? value[0] : value) ?? {}
  }, values)
}
