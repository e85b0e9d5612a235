/** Which page an address leads to, and what its fragment asks for. Pure. */

import { readPersonName, roomTextFromPath } from './room_name.ts';

export type Route =
  /** `open`: what a shortcut of the app's icon asks for. */
  | { readonly page: 'home'; readonly open?: Opening }
  | { readonly page: 'setup'; readonly token: string | undefined }
  /** `again`: also for somebody who is signed in, since another application wants to be sure who it is. */
  | {
      readonly page: 'sign_in';
      readonly to: string;
      readonly again?: true;
      /** An outside provider sent the person back without a sign-in. */
      readonly refusal?: ProviderRefusal;
    }
  /** Links to an account. Without a token, `recover` asks for a link by mail. */
  | { readonly page: 'invite'; readonly token: string | undefined }
  | { readonly page: 'recover'; readonly token: string | undefined }
  /** An invite link of a room. */
  | { readonly page: 'join'; readonly token: string }
  | { readonly page: 'account' }
  /** Somebody of the house. */
  | { readonly page: 'person'; readonly id: string }
  /** How the connection of one of one's own stays was. */
  | { readonly page: 'connection'; readonly id: string }
  | { readonly page: 'admin'; readonly section: AdminSection; readonly id?: string }
  /** `text` is the room's name as it stands in the address; undefined when it cannot be read. */
  | { readonly page: 'room'; readonly text: string | undefined }
  /** `accept`: from a notification whose call is answered by it. */
  | { readonly page: 'call'; readonly room: string; readonly accept: boolean }
  | { readonly page: 'not_found' };

export type Opening = 'call' | 'contacts';

/** Why an outside provider's sign-in came to nothing: `problem` in the address of the sign-in. */
export type ProviderRefusal = 'denied' | 'unavailable' | 'failed';

const PROVIDER_REFUSALS: readonly ProviderRefusal[] = ['denied', 'unavailable', 'failed'];

/** Sections of the administration, in the order in which they stand. */
export const ADMIN_SECTIONS = [
  'overview',
  'people',
  'groups',
  'invites',
  'sessions',
  'connections',
  'house',
  'policy',
  'applications',
  'tokens',
  'audit',
] as const;

export type AdminSection = (typeof ADMIN_SECTIONS)[number];

export function adminPath(section: AdminSection, id?: string): string {
  if (id !== undefined) return `/admin/${section}/${encodeURIComponent(id)}`;
  return section === 'overview' ? '/admin' : `/admin/${section}`;
}

/** The page of a call, by the id of its room. */
export function callPath(room: string): string {
  return `/call/${encodeURIComponent(room)}`;
}

const PEOPLE = '/people/';

/** The page of somebody of the house. */
export function personPath(id: string): string {
  return PEOPLE + encodeURIComponent(id);
}

const CONNECTIONS = '/connections/';

/** How the connection of a stay was. */
export function connectionPath(id: string): string {
  return CONNECTIONS + encodeURIComponent(id);
}

const JOIN = '/join';

/** Where an invite leads in. The secret stands in the fragment, which no browser sends anywhere. */
export function joinPath(token: string): string {
  return `${JOIN}#${token}`;
}

/** What one wishes may stand behind it, as at a room's address. */
function joinTokenIn(hash: string): string {
  return hash.slice(1).split('&')[0] ?? '';
}

export function routeOf({ pathname, search, hash }: { pathname: string; search: string; hash: string }): Route {
  switch (pathname) {
    case '/':
      return homeRoute(search);
    case '/setup':
      return { page: 'setup', token: tokenIn(hash) };
    case '/invite':
      return { page: 'invite', token: tokenIn(hash) };
    case '/recover':
      return { page: 'recover', token: tokenIn(hash) };
    case JOIN:
      return { page: 'join', token: joinTokenIn(hash) };
    case '/account':
      return { page: 'account' };
    case '/sign-in': {
      const parameters = new URLSearchParams(search);
      const to = localPath(parameters.get('to'));
      const again = leavesApp(to) && parameters.has('again');
      const problem = parameters.get('problem');
      const refusal = PROVIDER_REFUSALS.find((one) => one === problem) ?? (problem ? 'failed' : undefined);
      return { page: 'sign_in', to, ...(again ? { again } : {}), ...(refusal ? { refusal } : {}) };
    }
    default:
      return ownRoute(pathname) ?? callRoute(pathname, hash) ?? roomRoute(pathname);
  }
}

function homeRoute(search: string): Route {
  const open = new URLSearchParams(search).get('open');
  return open === 'call' || open === 'contacts' ? { page: 'home', open } : { page: 'home' };
}

function tokenIn(hash: string): string | undefined {
  return hash.length > 1 ? hash.slice(1) : undefined;
}

function callRoute(pathname: string, hash: string): Route | undefined {
  const [, call, room, ...more] = pathname.split('/');
  if (call !== 'call' || !room || more.length > 0) return undefined;
  return { page: 'call', room: decoded(room), accept: hash === '#accept' };
}

function roomRoute(pathname: string): Route {
  return pathname.startsWith('/r/') && pathname.length > '/r/'.length
    ? { page: 'room', text: roomTextFromPath(pathname) }
    : { page: 'not_found' };
}

/** For accounts only. */
function ownRoute(pathname: string): Route | undefined {
  const person = idBehind(PEOPLE, pathname);
  if (person !== undefined) return { page: 'person', id: person };
  const connection = idBehind(CONNECTIONS, pathname);
  return connection === undefined ? adminRoute(pathname) : { page: 'connection', id: connection };
}

function idBehind(prefix: string, pathname: string): string | undefined {
  const id = pathname.startsWith(prefix) ? pathname.slice(prefix.length) : '';
  return id === '' || id.includes('/') ? undefined : decoded(id);
}

/** `/admin`, `/admin/<section>`, and one of the people or connections by id. */
function adminRoute(pathname: string): Route | undefined {
  const [, admin, name, id, ...more] = pathname.split('/');
  if (admin !== 'admin' || more.length > 0) return undefined;
  if (name === undefined) return { page: 'admin', section: 'overview' };
  const section = ADMIN_SECTIONS.find((one) => one === name && one !== 'overview');
  if (!section) return undefined;
  if (id === undefined) return { page: 'admin', section };
  const hasPages = section === 'people' || section === 'connections';
  return hasPages && id !== '' ? { page: 'admin', section, id: decoded(id) } : undefined;
}

/** Only a page of our own: a sign-in must not send people elsewhere. */
export function localPath(to: string | null): string {
  if (!to || !/^\/(?![/\\])/.test(to) || /[\\\s]/.test(to)) return '/';
  return to.startsWith('/sign-in') ? '/' : to;
}

/** A page of the server's own: where the sign-in for another application goes on. */
export function leavesApp(path: string): boolean {
  return path.startsWith('/oidc/authorize?');
}

/** The application for which somebody signs in, if it is for one. */
export function clientIdOf(path: string): string | undefined {
  if (!leavesApp(path)) return undefined;
  return new URLSearchParams(path.slice(path.indexOf('?'))).get('client_id') ?? undefined;
}

/**
 * Where the sign-in at an outside provider begins; it comes back to `to`. `silent`: only if nobody has to be shown
 * anything; `again`: people show anew who they are.
 */
export function providerPath(provider: string, to: string, manner?: 'silent' | 'again'): string {
  const path = `/sso/start?provider=${encodeURIComponent(provider)}&to=${encodeURIComponent(to)}`;
  return manner ? `${path}&${manner}=1` : path;
}

export function signInPath(to: string): string {
  return to === '/' ? '/sign-in' : `/sign-in?to=${encodeURIComponent(to)}`;
}

/** What stands behind the `#` of a room's address. */
export interface DoorWishes {
  /** Join at once, in a room that one knows. */
  readonly auto?: 'audio' | 'video';
  readonly muteMicrophone: boolean;
  readonly muteCamera: boolean;
  /** For a guest's name field; what cannot be a name is dropped. */
  readonly name?: string;
}

export function doorWishes(hash: string): DoorWishes {
  let auto: DoorWishes['auto'];
  let mute = 0;
  let name: string | undefined;
  for (const part of hash.replace(/^#/, '').split('&')) {
    const [key, ...rest] = part.split('=');
    const value = rest.length > 0 ? decoded(rest.join('=')) : undefined;
    if (key === 'auto' && (value === undefined || value === '1')) auto = 'audio';
    else if (key === 'auto' && value === '2') auto = 'video';
    else if (key === 'mute') mute = value === undefined || value === '' ? 3 : Number.parseInt(value, 10) || 0;
    else if (key === 'name' && value) name = readPersonName(value);
  }
  return {
    ...(auto ? { auto } : {}),
    muteMicrophone: (mute & 1) !== 0,
    muteCamera: (mute & 2) !== 0,
    ...(name ? { name } : {}),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
