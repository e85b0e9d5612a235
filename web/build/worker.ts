/**
 * After the app is built: works out which build it is, writes that into its page, and builds the service worker, which
 * knows all files of this build. Our own sixty lines instead of vite-plugin-pwa and Workbox: their precache deletes the
 * files of the build before as soon as a new worker runs, which breaks tabs that are in a call; and ours is 1 kB.
 */

import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { type Plugin, build as viteBuild } from 'vite';

const ENTRY = resolve(import.meta.dirname, '../src/pwa/worker/main.ts');
const PACKAGE = resolve(import.meta.dirname, '../package.json');
/** Besides all under `assets/`: what tabs and notifications show. */
const ICONS = ['icons/door.svg', 'icons/door-192.png'];

export function worker(): Plugin {
  let directory = '';
  let target: string | string[] = [];
  return {
    name: 'stube-worker',
    apply: 'build',
    configResolved({ build }) {
      directory = build.outDir;
      target = build.target || [];
    },
    // Everything else is written by then, and nothing is compressed yet.
    writeBundle: {
      order: 'post',
      async handler() {
        const assets = await filesIn(directory, 'assets');
        const files = [...assets, ...ICONS].sort();
        const { version } = JSON.parse(await readFile(PACKAGE, 'utf8')) as { version: string };
        const page = await readFile(join(directory, 'index.html'), 'utf8');
        // Whatever it does differently is another worker; what it is built into is left out.
        const draft = await bundle('', [], target);
        const icons = await Promise.all(ICONS.map((icon) => readFile(join(directory, icon))));
        const build = `${version}-${hashOf([page, draft, ...files, ...icons])}`;
        await writeFile(join(directory, 'index.html'), page.replace('</title>', `</title>\n    ${buildMark(build)}`));
        const paths = files.map((file) => `/${file}`);
        await writeFile(join(directory, 'sw.js'), await bundle(build, paths, target));
      },
    },
  };
}

/** What the page says of itself: read by the app, by the worker and by the server. */
function buildMark(build: string): string {
  return `<meta name="stube-build" content="${build}">`;
}

/** As they stand in addresses. The names of assets have the hash of what is in them. */
async function filesIn(directory: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(directory, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.map'));
  return files.map((file) => relative(directory, join(file.parentPath, file.name)).split(sep).join('/'));
}

function hashOf(parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\n');
  return hash.digest('hex').slice(0, 8);
}

/** One classic script: not every browser takes modules here. */
async function bundle(build: string, files: readonly string[], target: string | string[]): Promise<string> {
  const built = await viteBuild({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    define: { STUBE_BUILD: JSON.stringify({ build, files }) },
    build: {
      write: false,
      target,
      rolldownOptions: { input: ENTRY, output: { format: 'iife', entryFileNames: 'sw.js' } },
    },
  });
  const [output] = Array.isArray(built) ? built : [built];
  const script = output && 'output' in output ? output.output[0] : undefined;
  if (script?.type !== 'chunk' || !script.code) throw new Error('the service worker was not built');
  return script.code;
}
