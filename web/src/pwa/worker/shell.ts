/**
 * Keeps the app's own files in the browser: the app starts without the network, and a tab of the build before still finds
 * its parts. Pages come from the server as long as it answers, so that the newest app is always the one that starts; of
 * everything else of the server's (its interfaces, sign-in, pictures) nothing is answered or kept here.
 */

export interface Build {
  /** As in the page's `stube-build`. */
  readonly build: string;
  /** Paths of all files; what lies under `/assets/` has its hash in its name. */
  readonly files: readonly string[];
}

const PREFIX = 'stube-shell-';
const PAGE = '/';
/** The server's own, under which no page of the app lies. */
const NOT_OURS = /^\/(?:api|oidc|sso|scim|meet|\.well-known|healthz|readyz|csp)(?:\/|$)/;
/** After this long without an answer the kept page comes: a line this slow is as good as none. */
const PATIENCE_MS = 4_000;

export function isPage(path: string): boolean {
  return !NOT_OURS.test(path);
}

export function keepShell(scope: ServiceWorkerGlobalScope, { build, files }: Build): void {
  const name = PREFIX + build;
  const { caches } = scope;

  async function install(): Promise<void> {
    const cache = await caches.open(name);
    try {
      await keepPage(cache);
      await Promise.all(files.map((path) => keepFile(cache, path)));
    } catch (error) {
      // Nothing of a half is used by the next attempt.
      await caches.delete(name);
      throw error;
    }
    // Nothing of an open page changes by this: it is only asked for files, and those of the build before stay.
    await scope.skipWaiting();
  }

  async function keepPage(cache: Cache): Promise<void> {
    const page = await scope.fetch(new Request(PAGE, { cache: 'no-cache' }));
    const text = page.ok && !page.redirected ? await page.clone().text() : '';
    if (!text.includes(`"${build}"`)) throw new Error('the server holds another build by now');
    await cache.put(PAGE, page);
  }

  async function keepFile(cache: Cache, path: string): Promise<void> {
    const hashed = path.startsWith('/assets/');
    const known = hashed ? await caches.match(path, { ignoreVary: true }) : undefined;
    const file = known ?? (await scope.fetch(new Request(path, { cache: hashed ? 'default' : 'no-cache' })));
    // A portal of the network answers everything, and with a page.
    const isFile = file.ok && !file.redirected && !file.headers.get('content-type')?.startsWith('text/html');
    if (!isFile) throw new Error(`${path} is not there`);
    await cache.put(path, file);
  }

  /** This build's files stay, and those of the build before: tabs of it may be in a call. */
  async function activate(): Promise<void> {
    const ours = (await caches.keys()).filter((key) => key.startsWith(PREFIX));
    const before = ours.filter((key) => key !== name).at(-1);
    await Promise.all(ours.filter((key) => key !== name && key !== before).map((key) => caches.delete(key)));
    await scope.clients.claim();
  }

  async function keptPage(): Promise<Response | undefined> {
    const cache = await caches.open(name);
    return cache.match(PAGE, { ignoreVary: true });
  }

  async function page(request: Request): Promise<Response> {
    const answer = scope.fetch(request).catch(() => undefined);
    const patience = new Promise<undefined>((resolve) => setTimeout(resolve, PATIENCE_MS));
    const soon = await Promise.race([answer, patience]);
    // What a proxy says while the server behind it is away is no page of ours.
    if (soon && soon.status < 500) return soon;
    return (await keptPage()) ?? (await answer) ?? Response.error();
  }

  async function file(request: Request): Promise<Response> {
    return (await caches.match(request, { ignoreVary: true })) ?? scope.fetch(request);
  }

  scope.addEventListener('install', (event) => event.waitUntil(install()));
  scope.addEventListener('activate', (event) => event.waitUntil(activate()));
  scope.addEventListener('fetch', (event) => {
    const { request } = event;
    const { origin, pathname } = new URL(request.url);
    if (request.method !== 'GET' || origin !== scope.location.origin) return;
    if (request.mode === 'navigate') {
      if (isPage(pathname)) event.respondWith(page(request));
      // Sounds are asked for in pieces, which are not kept.
    } else if (!request.headers.has('range') && (pathname.startsWith('/assets/') || files.includes(pathname))) {
      event.respondWith(file(request));
    }
  });
}
