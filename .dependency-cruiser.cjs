// The layer rules of ARCHITECTURE.md, checked on every import of the project. `npm run check` runs it.

/** Each module of shared/ and the modules it may import: the table of ARCHITECTURE.md, row by row. */
const foundation = ['errors', 'time', 'config', 'telemetry']
const running = [...foundation, 'lifecycle']
const modules = {
  errors: [],
  time: ['errors'],
  config: ['errors'],
  telemetry: ['errors', 'time', 'config'],
  lifecycle: foundation,
  events: foundation,
  database: running,
  'event-log': [...running, 'events', 'database'],
  'key-value': [...running, 'database'],
  resilience: running,
  delivery: [...running, 'events', 'database', 'event-log', 'key-value', 'resilience'],
  memory: [...running, 'events', 'database', 'resilience'],
  model: [...running, 'resilience'],
}
modules.function = Object.keys(modules)

const source = '^(shared|functions|local|cli)/'

const layers = Object.entries(modules).map(([name, allowed]) => ({
  name: `shared/${name}-imports-what-its-row-names`,
  comment: `shared/${name} may import ${allowed.join(', ') || 'no other module'}`,
  severity: 'error',
  from: { path: `^shared/${name}/` },
  to: { path: '^shared/', pathNot: `^shared/(${[name, ...allowed].join('|')})/` },
}))

/** Packages that have one home, so that replacing them touches one module. */
const homes = {
  fastify: '^shared/function/|^functions/[^/]+/',
  ioredis: '^shared/key-value/',
  jose: '^functions/gateway/identity/',
  kafkajs: '^shared/event-log/kafka/',
  opossum: '^shared/resilience/',
  pg: '^(shared/database|local/postgres)/',
  pino: '^shared/telemetry/',
  'prom-client': '^shared/telemetry/',
  undici: '^shared/resilience/',
}

const packages = Object.entries(homes).map(([name, home]) => ({
  name: `${name}-lives-in-one-place`,
  comment: `only ${home} may import the package ${name}`,
  severity: 'error',
  from: { path: source, pathNot: home },
  to: { path: `(^|/)node_modules/(@types/)?${name}/` },
}))

module.exports = {
  forbidden: [
    ...layers,
    ...packages,
    {
      name: 'every-module-has-a-row',
      comment: 'a new module of shared/ gets a row in the table, here and in ARCHITECTURE.md',
      severity: 'error',
      from: { path: '^shared/', pathNot: `^shared/(${Object.keys(modules).join('|')})/` },
      to: {},
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'shared-knows-nobody-above',
      severity: 'error',
      from: { path: '^shared/' },
      to: { path: '^(functions|local|cli)/' },
    },
    {
      name: 'functions-meet-through-events-only',
      severity: 'error',
      from: { path: '^functions/([^/]+)/' },
      to: { path: '^functions/', pathNot: '^functions/$1/' },
    },
    {
      name: 'functions-import-only-shared',
      severity: 'error',
      from: { path: '^functions/' },
      to: { path: '^(local|cli)/' },
    },
    {
      name: 'local-and-cli-see-only-contracts-of-functions',
      severity: 'error',
      from: { path: '^(local|cli)/' },
      to: { path: '^functions/', pathNot: '^functions/[^/]+/function\\.ts$' },
    },
    {
      name: 'local-does-not-know-the-cli',
      severity: 'error',
      from: { path: '^local/' },
      to: { path: '^cli/' },
    },
    {
      name: 'source-never-imports-tests',
      severity: 'error',
      from: { path: source },
      to: { path: '^test/' },
    },
    {
      name: 'a-folder-is-entered-through-its-index',
      comment: 'from outside, import shared/<module>/index.ts or local/<module>/index.ts',
      severity: 'error',
      from: { path: `${source}([^/]+)/` },
      to: { path: '^(shared|local)/[^/]+/', pathNot: ['^(shared|local)/[^/]+/index\\.ts$', '^$1/$2/'] },
    },
    {
      name: 'a-folder-is-entered-through-its-index-from-files-beside-it',
      severity: 'error',
      from: { path: '^(shared|functions|local|cli)/[^/]+\\.(ts|js)$' },
      to: { path: '^(shared|local)/[^/]+/', pathNot: '^(shared|local)/[^/]+/index\\.ts$' },
    },
    {
      name: 'inside-a-folder-import-the-file',
      comment: 'an import of the own index.ts is where import cycles begin',
      severity: 'error',
      from: { path: '^(shared|local)/([^/]+)/' },
      to: { path: '^$1/$2/index\\.ts$' },
    },
    {
      name: 'shipped-code-needs-no-dev-dependency',
      comment: 'shared/ and functions/ run in the image, where devDependencies are absent',
      severity: 'error',
      from: { path: '^(shared|functions)/', pathNot: '/generate/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '(^|/)node_modules/@types/' },
    },
    {
      name: 'everything-resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // TypeScript 7 has no API that dependency-cruiser could use: without swc it would read nothing and be content.
    parser: 'swc',
    preserveSymlinks: true, // node_modules may be a link
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.d\\.ts$' }, // swc does not read declarations
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.d.ts', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
}
