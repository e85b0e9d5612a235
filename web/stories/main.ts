/** One screen in one state, by the fragment: `#door-guest`, with `?lang=de` for the language. */

import type { AppScreen, SignInState } from '../src/model/screens.ts';
import { Store } from '../src/model/store.ts';
import { mountApp } from '../src/ui/mount.ts';
import {
  appOf,
  devicesOf,
  doorOf,
  homeOf,
  leftOf,
  meetingOf,
  newCallOf,
  noop,
  personOf,
  rooms,
  shareOf,
} from './fakes.ts';

const off = { on: false, status: 'off', options: [] } as const;
const denied = { on: true, status: 'problem', problem: 'denied', options: [] } as const;
const signIn = (state: Partial<SignInState>) =>
  Object.assign(
    new Store<SignInState>({
      busy: false,
      step: 'password',
      form: true,
      passkey: false,
      providers: [],
      recovery: false,
      ...state,
    }),
    { submit: noop, submitCode: noop, back: noop, usePasskey: noop },
  );
const providers = [
  { id: 'uni', name: 'Portal der Universität', href: '/sso/start' },
  { id: 'kc', name: 'Keycloak', href: '/sso/start' },
];
const meeting = (...args: Parameters<typeof meetingOf>) => ({ name: 'meeting', screen: meetingOf(...args) }) as const;
const door = (state: Parameters<typeof doorOf>[0]) => ({ name: 'door', screen: doorOf(state) }) as const;
const home = (state: Parameters<typeof homeOf>[0]) => ({ name: 'home', screen: homeOf(state) }) as const;
const left = (state: Parameters<typeof leftOf>[0]) => ({ name: 'left', screen: leftOf(state) }) as const;

const stories: Record<string, () => AppScreen> = {
  loading: () => appOf({ name: 'loading' }, false),
  setup: () =>
    appOf(
      { name: 'setup', screen: Object.assign(new Store({ hasToken: true, busy: false }), { submit: noop }) },
      false,
    ),
  'setup-no-token': () =>
    appOf(
      { name: 'setup', screen: Object.assign(new Store({ hasToken: false, busy: false }), { submit: noop }) },
      false,
    ),
  'sign-in': () => appOf({ name: 'sign_in', screen: signIn({}) }, false),
  'sign-in-wrong': () =>
    appOf(
      { name: 'sign_in', screen: signIn({ problem: { code: 'wrong_credentials' }, roomName: 'Teamrunde' }) },
      false,
    ),
  'sign-in-all': () => appOf({ name: 'sign_in', screen: signIn({ passkey: true, recovery: true, providers }) }, false),
  'sign-in-provider': () =>
    appOf(
      { name: 'sign_in', screen: signIn({ form: false, providers: providers.slice(0, 1), refusal: 'denied' }) },
      false,
    ),
  'sign-in-code': () =>
    appOf({ name: 'sign_in', screen: signIn({ step: 'code', problem: { code: 'wrong_code' } }) }, false),
  'home-empty': () => appOf({ name: 'home', screen: homeOf({}, 0) }, true),
  person: () => appOf({ name: 'person', screen: personOf() }, true),
  'person-you': () => appOf({ name: 'person', screen: personOf({ you: true }) }, true),
  'person-unknown': () => appOf({ name: 'person', screen: personOf({ unknown: true }) }, true),
  'home-loading': () => appOf(home({ loaded: false }), true),
  home: () => appOf(home({ rooms: rooms(6) }), true),
  'home-update': () => appOf(home({ rooms: rooms(6) }), true, undefined, { prompt: 'update' }),
  'home-install': () => appOf(home({ rooms: rooms(6) }), true, undefined, { prompt: 'install' }),
  'home-install-ios': () => appOf(home({ rooms: rooms(6) }), true, undefined, { prompt: 'install', byHand: 'ios' }),
  'home-updating': () => appOf(home({ rooms: rooms(6) }), true, undefined, { updating: true }),
  offline: () => appOf({ name: 'error', problem: { code: 'offline' } }, false),
  'home-many': () => appOf(home({ rooms: rooms(26), live: false }), true),
  'new-call': () =>
    appOf(
      home({
        rooms: rooms(6),
        newCall: newCallOf({
          text: 'public/Team',
          allowGuests: true,
          canEnter: true,
          offeredName: 'Team-kq7v-m3xd-9trw',
          matches: rooms(1),
        }),
      }),
      true,
    ),
  'new-call-bad': () => appOf(home({ newCall: newCallOf({ text: '..', nameProblem: 'dots' }) }), true),
  door: () => appOf(door({ people: 3 }), true),
  'door-knock': () => appOf(door({ people: 3, owner: false, knock: true, knocks: true }), true),
  'door-knocking': () =>
    appOf(door({ people: 3, owner: false, knock: true, knocks: true, phase: 'waiting', waitsFor: 'knocking' }), true),
  'meeting-knock': () =>
    appOf(
      meeting(3, {
        knocking: [
          { id: 'k1', name: 'Jürgen Özdemir-Wolkenstein', guest: true },
          { id: 'k2', name: 'Bea', guest: false },
        ],
      }),
      true,
    ),
  'door-new': () => appOf(door({ exists: false, access: 'accounts', people: 0 }), true),
  'door-explain': () =>
    appOf(
      door({ viewer: 'guest', name: '', canJoin: false }),
      false,
      devicesOf({
        explain: true,
        camera: { ...off, on: true, status: 'ask' },
        microphone: { ...off, on: true, status: 'ask' },
      }),
    ),
  'door-guest': () => appOf(door({ viewer: 'guest', name: 'Mei' }), false, devicesOf({ canFlip: true })),
  'door-denied': () =>
    appOf(door({ viewer: 'guest', name: 'Mei' }), false, devicesOf({ camera: denied, microphone: denied })),
  'door-no-microphone': () =>
    appOf(door({ people: 1 }), true, devicesOf({ microphone: { ...denied, problem: 'missing' } })),
  'door-off': () =>
    appOf(
      door({ people: 1, roomName: 'Donaudampfschifffahrtsgesellschaft Aufsichtsrat' }),
      true,
      devicesOf({ camera: off, microphone: { ...off, status: 'live' } }),
    ),
  'door-waiting': () => appOf(door({ viewer: 'guest', name: 'Mei', phase: 'waiting' }), false),
  'door-closed': () => appOf(door({ viewer: 'guest', phase: 'guests_not_allowed' }), false),
  'door-full': () => appOf(door({ people: 50, problem: { code: 'room_full' } }), true),
  'door-failed': () => appOf(door({ phase: 'failed', problem: { code: 'internal', reference: 'k3f9-22ab' } }), true),
  'door-invalid': () => appOf(door({ phase: 'name_invalid' }), true),
  share: () => appOf(door({ people: 3, share: shareOf({ offeredName: 'Teamrunde-kq7v-m3xd' }) }), true),
  'share-accounts': () =>
    appOf(door({ people: 3, share: shareOf({ access: 'accounts', allowGuests: false, copyFailed: true }) }), true),
  'meeting-alone': () => appOf(meeting(0), true),
  'meeting-alone-off': () => appOf(meeting(0), true, devicesOf({ camera: off, microphone: off })),
  'meeting-1': () => appOf(meeting(1), true, devicesOf({ canFlip: true })),
  'meeting-2': () => appOf(meeting(2), true),
  'meeting-3': () => appOf(meeting(3), true),
  'meeting-5': () => appOf(meeting(5), true, devicesOf({ camera: off, microphone: { ...off, on: false } })),
  'meeting-9': () => appOf(meeting(9), true),
  'meeting-30': () => appOf(meeting(30), true),
  'meeting-screen': () => appOf(meeting(4, {}, 1), true),
  'meeting-lost': () => appOf(meeting(3, { connection: 'reconnecting' }), true),
  'meeting-stuck': () => appOf(meeting(3, { connection: 'stuck' }), true),
  'meeting-sound': () => appOf(meeting(2, { soundBlocked: true }), true),
  'meeting-thin': () => appOf(meeting(4, { notice: 'thin_line' }, 0, 2), true),
  'meeting-busy': () => appOf(meeting(2, { notice: 'busy_layers' }), true),
  'meeting-sharing': () => appOf(meeting(3, { screen: { on: true, mode: 'text' } }), true),
  'meeting-denied': () => appOf(meeting(2), true, devicesOf({ camera: denied })),
  left: () => appOf(left({}), true),
  'left-replaced': () => appOf(left({ reason: 'replaced', viewer: 'guest' }), false),
  'left-ended': () => appOf(left({ reason: 'session_ended' }), false),
  'not-found': () => appOf({ name: 'not_found' }, true),
  error: () => appOf({ name: 'error', problem: { code: 'internal', reference: 'k3f9-22ab' } }, true),
};

const story = stories[location.hash.slice(1)];
const target = document.getElementById('app');
if (target && story) {
  mountApp(target, story(), { languages: [new URLSearchParams(location.search).get('lang') ?? navigator.language] });
} else if (target) {
  target.append(
    ...Object.keys(stories).map((name) => {
      const link = Object.assign(document.createElement('a'), { href: `#${name}`, textContent: `${name} ` });
      link.addEventListener('click', () => setTimeout(() => location.reload()));
      return link;
    }),
  );
}
