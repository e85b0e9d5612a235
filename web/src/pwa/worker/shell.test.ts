import { beforeEach, expect, test } from 'vitest';
import { isPage, keepShell } from './shell.ts';

const ORIGIN = 'https://stube.example';
const FILES = ['/assets/app-1.js', '/icons/door.svg'];

/** A browser's caches, without the rules of HTTP. */
class FakeCaches {
  readonly kept = new Map<string, Map<string, string>>();

  async open(name: string) {
    const files = this.kept.get(name) ?? new Map<string, string>();
    this.kept.set(name, files);
    const put = async (path: string, response: Response): Promise<void> => {
      files.set(path, await response.text());
    };
    return {
      put,
      match: async (path: string) => answer(files.get(path)),
    };
  }

  async match(request: Request | string) {
    const path = pathOf(typeof request === 'string' ? request : request.url);
    for (const files of this.kept.values()) if (files.has(path)) return answer(files.get(path));
    return undefined;
  }

  async keys() {
    return [...this.kept.keys()];
  }

  async delete(name: string) {
    return this.kept.delete(name);
  }
}

function answer(text: string | undefined): Response | undefined {
  return text === undefined ? undefined : new Response(text);
}

function pathOf(address: string): string {
  return new URL(address, ORIGIN).pathname;
}

/** What the server answers, by path; `undefined`: it is not reached. */
let server: Map<string, () => Response> | undefined;
let asked: string[];
let caches: FakeCaches;

function serve(build: string): void {
  server = new Map([
    ['/', () => new Response(`<meta name="stube-build" content="${build}">`)],
    ['/assets/app-1.js', () => new Response('app 1')],
    ['/icons/door.svg', () => new Response(`door of ${build}`)],
  ]);
}

async function fetched(address: string): Promise<Response> {
  const path = pathOf(address);
  asked.push(path);
  if (!server) throw new TypeError('offline');
  return server.get(path)?.() ?? new Response('nothing here', { status: 404 });
}

beforeEach(() => {
  asked = [];
  caches = new FakeCaches();
  serve('1');
});

/** A worker of this build, and what the browser does with it. */
function worker(build: string) {
  const listeners = new Map<string, (event: unknown) => void>();
  let claimed = false;
  const scope = {
    caches,
    location: { origin: ORIGIN },
    clients: {
      claim: async () => {
        claimed = true;
      },
    },
    skipWaiting: async () => {},
    fetch: (request: Request) => fetched(request.url),
    addEventListener: (name: string, listener: (event: unknown) => void) => listeners.set(name, listener),
  };
  // Here addresses need a host, in a worker they do not.
  globalThis.Request = class extends RealRequest {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === 'string' ? new URL(input, ORIGIN) : input, init);
    }
  };
  keepShell(scope as unknown as Parameters<typeof keepShell>[0], { build, files: FILES });
  const lives = async (name: string): Promise<void> => {
    let life: Promise<unknown> | undefined;
    listeners.get(name)?.({ waitUntil: (promise: Promise<unknown>) => (life = promise) });
    await life;
  };
  return {
    install: () => lives('install'),
    activate: () => lives('activate'),
    claimed: () => claimed,
    /** The text of what it answers; `undefined` where the browser asks by itself. */
    async asks(path: string, { navigate = false, headers = {}, method = 'GET' } = {}): Promise<string | undefined> {
      const request = new Request(new URL(path, ORIGIN), { headers, method });
      if (navigate) Object.defineProperty(request, 'mode', { value: 'navigate' });
      let response: Promise<Response> | undefined;
      listeners.get('fetch')?.({ request, respondWith: (promise: Promise<Response>) => (response = promise) });
      return (await response)?.text();
    },
  };
}
const RealRequest = globalThis.Request;

test('without the network every page of the app starts from what was kept', async () => {
  const one = worker('1');
  await one.install();
  await one.activate();
  expect(one.claimed()).toBe(true);
  server = undefined;
  for (const path of ['/', '/r/K%C3%BCche', '/call/1', '/people/2', '/apiary']) {
    expect(await one.asks(path, { navigate: true }), path).toContain('content="1"');
  }
  expect(await one.asks('/assets/app-1.js')).toBe('app 1');
});

test('while the server answers, pages are its own', async () => {
  const one = worker('1');
  await one.install();
  serve('2');
  expect(await one.asks('/', { navigate: true })).toContain('content="2"');
  server?.set('/', () => new Response('bad gateway', { status: 502 }));
  expect(await one.asks('/', { navigate: true })).toContain('content="1"');
});

test('nothing but pages and files of the app is answered', async () => {
  const one = worker('1');
  await one.install();
  asked = [];
  const paths = [
    '/api/v1/me',
    '/api',
    '/oidc/authorize',
    '/sso/start',
    '/.well-known/openid-configuration',
    '/scim/v2/Users',
    '/healthz',
    '/meet/r/x',
  ];
  for (const path of paths) {
    expect(isPage(path), path).toBe(false);
    expect(await one.asks(path, { navigate: true }), path).toBe(undefined);
    expect(await one.asks(path), path).toBe(undefined);
  }
  expect(await one.asks('https://elsewhere.example/assets/app-1.js')).toBe(undefined);
  expect(await one.asks('/assets/app-1.js', { headers: { range: 'bytes=0-' } })).toBe(undefined);
  expect(await one.asks('/', { method: 'POST' })).toBe(undefined);
  expect(asked).toEqual([]);
});

test('the build before is kept for its open tabs, and older ones are not', async () => {
  for (const build of ['1', '2', '3']) {
    serve(build);
    const next = worker(build);
    await next.install();
    await next.activate();
  }
  expect(await caches.keys()).toEqual(['stube-shell-2', 'stube-shell-3']);
  await caches.open('of somebody else');
  await worker('3').activate();
  expect(await caches.keys()).toContain('of somebody else');
});

test('what has its hash in its name is fetched once, and the rest with every build', async () => {
  await worker('1').install();
  serve('2');
  asked = [];
  await worker('2').install();
  expect(asked.sort()).toEqual(['/', '/icons/door.svg']);
  expect(caches.kept.get('stube-shell-2')?.get('/assets/app-1.js')).toBe('app 1');
});

test('a worker does not keep the page of another build, nor files that are gone', async () => {
  serve('2');
  await expect(worker('1').install()).rejects.toThrow('another build');
  serve('1');
  server?.delete('/icons/door.svg');
  await expect(worker('1').install()).rejects.toThrow('/icons/door.svg is not there');
  expect(await caches.keys()).toEqual([]);
});

test('what a portal of the network says instead of a file is not kept', async () => {
  const page = { headers: { 'content-type': 'text/html; charset=utf-8' } };
  server?.set('/assets/app-1.js', () => new Response('sign in to this network', page));
  await expect(worker('1').install()).rejects.toThrow('/assets/app-1.js is not there');
  serve('1');
  await worker('1').install();
  expect(caches.kept.get('stube-shell-1')?.get('/assets/app-1.js')).toBe('app 1');
});
