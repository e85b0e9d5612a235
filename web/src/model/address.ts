/** Which page an address leads to, and what its fragment asks for. Pure. */

import { readPersonName, roomTextFromPath } from './room_name.ts';

export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'setup'; readonly token: string | undefined }
  /** `again`: also for somebody who is signed in, since another application wants to be sure who it is. */
  | { readonly page: 'sign_in'; readonly to: string; readonly again?: true }
  /** `text` is the room's name as it stands in the address; undefined when it cannot be read. */
  | { readonly page: 'room'; readonly text: string | undefined }
  | { readonly page: 'not_found' };

export function routeOf({ pathname, search, hash }: { pathname: string; search: string; hash: string }): Route {
  switch (pathname) {
    case '/':
      return { page: 'home' };
    case '/setup':
      return { page: 'setup', token: hash.length > 1 ? hash.slice(1) : undefined };
    case '/sign-in': {
      const parameters = new URLSearchParams(search);
      const to = localPath(parameters.get('to'));
      const again = leavesApp(to) && parameters.has('again');
      return { page: 'sign_in', to, ...(again ? { again } : {}) };
    }
    default:
      return pathname.startsWith('/r/') && pathname.length > '/r/'.length
        ? { page: 'room', text: roomTextFromPath(pathname) }
        : { page: 'not_found' };
  }
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
