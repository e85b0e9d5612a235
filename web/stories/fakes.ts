/** Made-up models for looking at the screens. Intents change the made-up state a little, so that sheets open. */

import type { CallsState, NotifyState } from '../src/model/calls/screens.ts';
import type { NowState } from '../src/model/connection/screens.ts';
import type { MeetingsState } from '../src/model/meetings/screens.ts';
import type {
  Availability,
  ContactsState,
  HistoryLine,
  HistoryState,
  PersonPageState,
  SightState,
} from '../src/model/people/screens.ts';
import type { PushState } from '../src/model/push/screens.ts';
import { groupsOf } from '../src/model/rooms/my_rooms.ts';
import type { MyRoomsState, RoomSheetState } from '../src/model/rooms/screens.ts';
import type {
  AppState,
  DevicesState,
  DoorState,
  HomeState,
  LeftState,
  MeetingState,
  NewCallState,
  OwnView,
  Person,
  RoomDoor,
  ShareScreen,
  ShareState,
  Tile,
} from '../src/model/screens.ts';
import type { ShellState } from '../src/model/shell/screens.ts';
import { type Readable, Store } from '../src/model/store.ts';
import { face, silence, slide } from './faces.ts';

const NAMES = [
  'Anna Brandt',
  'Jürgen Özdemir-Wolkenstein',
  'Mei',
  'Tomasz Kowalczyk',
  'Frau Dr. Henriette von Sommerfeld',
  'Ida',
  'Kwame Mensah',
  'Lotte Maier',
  'Nikos P.',
];
export const noop = (): void => {};

export function devicesOf(changes: Partial<DevicesState> = {}) {
  const store = new Store<DevicesState>({
    explain: false,
    microphone: { on: true, status: 'live', options: [{ id: 'm', label: 'Built-in microphone' }], selected: 'm' },
    camera: { on: true, status: 'live', options: [{ id: 'c', label: 'Front camera (04f2:b6d9)' }], selected: 'c' },
    speakers: [{ id: 's', label: 'Loudspeaker' }],
    speaker: 's',
    mirrored: true,
    canFlip: false,
    music: false,
    ...changes,
  });
  const level: Readable<number> = {
    state: 0.3,
    subscribe(listener) {
      listener(0.3);
      return noop;
    },
  };
  return Object.assign(store, {
    preview: face(0),
    level,
    ask: () => store.patch({ explain: false }),
    skip: () => store.patch({ explain: false }),
    toggleMicrophone: () => store.patch({ microphone: { ...store.state.microphone, on: !store.state.microphone.on } }),
    toggleCamera() {
      const on = !store.state.camera.on;
      store.patch({ camera: { ...store.state.camera, on, status: on ? 'live' : 'off' } });
    },
    selectMicrophone: noop,
    selectCamera: noop,
    selectSpeaker: noop,
    setMusic: noop,
    flipCamera: noop,
  });
}

export function appOf(page: AppState['page'], user: boolean, devices = devicesOf(), told: ShellState = {}) {
  const store = new Store<AppState>({
    house: {
      name: 'Tischlerei Sommerfeld',
      imprintUrl: 'https://example.org/imprint',
      privacyUrl: 'https://example.org/privacy',
      ...(user ? { user: { username: 'anna', name: 'Anna Brandt', admin: true } } : {}),
    },
    ...(user ? { own: { status: 'available', missed: 2 } } : {}),
    page,
  });
  const calls = Object.assign(new Store<CallsState>({ leads: false, notifies: false }), {
    notify: Object.assign(new Store<NotifyState>({ on: false, permission: 'open' }), { setOn: noop }),
    accept: noop,
    decline: noop,
    ignore: noop,
    call: noop,
    showNotice: () => noop,
  });
  const meetings = Object.assign(new Store<MeetingsState>({ now: 0, upcoming: [] }), {
    plan: noop,
    edit: noop,
    closePlanning: noop,
    askToCancel: noop,
    keep: noop,
    cancel: noop,
    dismissReminder: noop,
    join: noop,
  });
  const shell = Object.assign(new Store<ShellState>(told), {
    inside: undefined,
    update: noop,
    install: noop,
    decline: noop,
    browserAddress: () => '',
    copyable: () => Object.assign(new Store({ text: '', copied: false, copyFailed: false }), { copy: noop }),
  });
  const push = Object.assign(new Store<PushState>({ on: false, busy: false }), {
    setOn: noop,
    decline: noop,
    look: noop,
  });
  const setStatus = (status: OwnView['status']) => store.patch({ own: { status, missed: 2 } });
  return Object.assign(store, {
    calls,
    meetings,
    shell,
    push,
    devices,
    setStatus,
    navigate: noop,
    signIn: noop,
    signOut: noop,
    retry: noop,
  });
}

export function rooms(count: number): RoomDoor[] {
  const names = [
    'Teamrunde',
    'Küche',
    'Donaudampfschifffahrtsgesellschaft Aufsichtsrat',
    'Kundentermin',
    '☕ Kaffee',
    'Werkstatt',
  ];
  return Array.from({ length: count }, (_, at) => ({
    id: `${at}`,
    name: names[at % names.length] ?? '',
    path: `/r/${at}`,
    access: at % 2 ? 'guests' : 'accounts',
    kind: at === 3 ? 'personal' : 'named',
    knock: at % 5 === 3,
    owner: at % 3 !== 2,
    pinned: at % 6 === 1,
    people: [3, 1, 0, 0, 0, 0][at] ?? 0,
    visitedAt: Date.now() - at * 9 * 3_600_000,
  }));
}

const ALL: readonly Availability[] = ['available', 'in_call', 'away', 'do_not_disturb', 'offline'];
const caller = { video: true, call: noop };

function sightOf() {
  const availability = new Map(NAMES.map((_, at) => [`${at}`, ALL[at % ALL.length] ?? 'offline'] as const));
  return Object.assign(new Store<SightState>({ availability }), { show: noop });
}

function contactsOf(state: Partial<ContactsState> = {}) {
  const people = NAMES.map((name, at) => ({
    id: `${at}`,
    name,
    username: `p${at}`,
    path: `/people/${at}`,
    favourite: at < 2,
    mail: `p${at}@sommerfeld.example`,
  }));
  const groups = [
    { kind: 'favourites', people: people.slice(0, 2) },
    { kind: 'recent', people: people.slice(2, 4) },
    { kind: 'all', people: people.slice(4) },
  ] as const;
  const store = new Store<ContactsState>({ text: '', more: false, typeMore: false, groups, ...state });
  const setText = (text: string) => store.patch({ text, groups: [{ kind: 'found', people }] });
  return Object.assign(store, { sight: sightOf(), caller, open: noop, leave: noop, retry: noop, setText });
}

const KINDS = ['missed', 'outgoing', 'incoming', 'room', 'outgoing'] as const;

export function historyOf(count: number) {
  const lines = Array.from({ length: count }, (_, at): HistoryLine => {
    const kind = KINDS[at % KINDS.length] ?? 'room';
    const name = NAMES[at % NAMES.length] ?? '';
    return {
      id: `${at}`,
      kind,
      video: at % 2 === 0,
      fresh: at === 0,
      startedAt: Date.now() - at * at * 17 * 60_000,
      ...(kind === 'room'
        ? { room: { name: 'Teamrunde', path: '/r/public/Teamrunde' } }
        : { person: { id: `${at % NAMES.length}`, name, path: `/people/${at}` } }),
      ...(at === 4 ? { end: 'no_answer' } : {}),
      ...(kind === 'missed' || at === 4 ? {} : { durationMs: 754_000 }),
    };
  });
  const store = new Store<HistoryState>({ busy: false, more: count > 8, loading: false, lines });
  return Object.assign(store, {
    sight: sightOf(),
    caller,
    open: noop,
    leave: noop,
    looked: noop,
    loadMore: noop,
    remove: noop,
    clear: async () => true,
    retry: noop,
  });
}

export function personOf(state: Partial<PersonPageState> = {}) {
  const person = {
    id: '1',
    name: 'Jürgen Özdemir-Wolkenstein',
    username: 'juergen',
    path: '/people/1',
    favourite: true,
    mail: 'juergen.oezdemir-wolkenstein@sommerfeld.example',
  };
  const store = new Store<PersonPageState>({ busy: false, unknown: false, you: false, person, ...state });
  return Object.assign(store, { sight: sightOf(), caller, setFavourite: noop, retry: noop });
}

export function newCallOf(state: Partial<NewCallState> = {}): NewCallState {
  return { text: '', allowGuests: false, canEnter: false, matches: [], people: contactsOf(), ...state };
}

export function mineOf(rooms: readonly RoomDoor[]) {
  const store = new Store<MyRoomsState>({ groups: groupsOf(rooms), offerPersonal: rooms.length < 7, busy: false });
  return Object.assign(store, {
    setPinned: noop,
    makePersonal: noop,
    openSheet: (room: RoomDoor) => store.patch({ sheet: roomSheetOf({ roomName: room.name }) }),
    closeSheet() {
      const { sheet: _, ...rest } = store.state;
      store.set(rest);
    },
  });
}

function roomSheetOf(state: Partial<RoomSheetState>) {
  const person = (at: number) => ({ id: `${at}`, name: NAMES[at] ?? '', username: `p${at}` });
  const store = new Store<RoomSheetState>({
    roomName: 'Teamrunde',
    allowGuests: false,
    knock: true,
    people: 2,
    members: [person(0), person(1)],
    text: '',
    found: [],
    typeMore: false,
    busy: false,
    ...state,
  });
  return Object.assign(store, {
    rename: async () => true,
    setAllowGuests: (allowGuests: boolean) => store.patch({ allowGuests }),
    setKnock: (knock: boolean) => store.patch({ knock }),
    setText: (text: string) => store.patch({ text, found: [person(2), person(3)] }),
    add: noop,
    removeMember: noop,
    remove: async () => true,
  });
}

export function homeOf(state: Partial<HomeState>, lines = 12) {
  const store = new Store<HomeState>({ loaded: true, live: true, rooms: [], ...state });
  return Object.assign(store, {
    contacts: contactsOf(),
    history: historyOf(lines),
    mine: mineOf(state.rooms ?? []),
    openNewCall: () => store.patch({ newCall: newCallOf() }),
    closeNewCall() {
      const { newCall: _, ...rest } = store.state;
      store.set(rest);
    },
    setRoomText: (text: string) => store.patch({ newCall: newCallOf({ text, canEnter: text !== '' }) }),
    setAllowGuests: noop,
    useOfferedName: noop,
    enterRoom: noop,
  });
}

export function shareOf(state: Partial<ShareState> = {}): ShareScreen {
  const store = new Store<ShareState>({
    roomName: 'Teamrunde',
    way: 'room',
    link: 'https://stube.example.org/r/public/Teamrunde%20am%20Montag',
    access: 'guests',
    allowGuests: true,
    knock: false,
    canSetKnock: true,
    busy: false,
    copied: false,
    copyFailed: false,
    canShareNatively: true,
    ...state,
  });
  return Object.assign(store, {
    choose: noop,
    setLife: noop,
    makeInvite: noop,
    forgetInvite: noop,
    takeBack: async () => true,
    setAllowGuests: noop,
    setKnock: (knock: boolean) => store.patch({ knock }),
    useOfferedName: noop,
    keepName: noop,
    copy: () => store.patch({ copied: true }),
    shareNatively: noop,
    openMail: noop,
    closeMail: noop,
  });
}

export function doorOf(state: Partial<DoorState>) {
  const store = new Store<DoorState>({
    roomName: 'Teamrunde',
    phase: 'open',
    viewer: 'account',
    invited: false,
    access: 'guests',
    knock: false,
    knocks: false,
    exists: true,
    owner: true,
    name: 'Anna Brandt',
    canJoin: true,
    ...state,
  });
  return Object.assign(store, {
    setName: (name: string) => store.patch({ name }),
    stir: noop,
    join: () => store.patch({ phase: 'joining' }),
    cancel: () => store.patch({ phase: 'open' }),
    retry: noop,
    openShare: () => store.patch({ share: shareOf() }),
    closeShare() {
      const { share: _, ...rest } = store.state;
      store.set(rest);
    },
  });
}

export function meetingOf(others: number, state: Partial<MeetingState> = {}, screens = 0, paused = 0) {
  const name = (at: number) => NAMES[at % NAMES.length] ?? '';
  const tiles: Tile[] = Array.from({ length: others }, (_, at) => ({
    key: `p${at}`,
    kind: 'person',
    name: name(at),
    guest: at % 4 === 2,
    speaking: at === 1 || others === 1,
    muted: at % 3 === 0,
    away: at === 5,
    showVideo: at % 4 !== 3 && at >= paused,
    videoExpected: false,
    paused: at < paused,
    video: face(at + 1),
    audio: silence,
  }));
  const shared: Tile[] = Array.from({ length: screens }, (_, at) => ({
    ...(tiles[at] as Tile),
    key: `s${at}`,
    kind: 'screen',
    guest: false,
    speaking: false,
    away: false,
    showVideo: true,
    video: slide(),
  }));
  const person = (at: number): Person => ({
    id: `${at}`,
    name: at < 0 ? 'Anna Brandt' : name(at),
    guest: at % 4 === 2,
    you: at < 0,
    muted: at % 3 === 0,
    cameraOff: at % 4 === 3,
    sharing: at >= 0 && at < screens,
    speaking: at === 1,
    away: at === 5,
  });
  const store = new Store<MeetingState>({
    roomName: 'Teamrunde',
    access: 'guests',
    viewer: 'account',
    connection: 'connected',
    soundBlocked: false,
    tiles: [...shared, ...tiles],
    alone: others === 0,
    people: Array.from({ length: others + 1 }, (_, at) => person(at - 1)),
    knocking: [],
    self: { name: 'Anna Brandt', speaking: false },
    ...(window.innerWidth >= 800 ? { screen: { on: false, mode: 'text' } } : {}),
    ...state,
  });
  return Object.assign(store, {
    admit: (id: string) => store.patch({ knocking: store.state.knocking.filter((one) => one.id !== id) }),
    toggleScreen: noop,
    setScreenMode: noop,
    leave: noop,
    reconnect: noop,
    playSound: noop,
    openShare: () => store.patch({ share: shareOf() }),
    closeShare() {
      const { share: _, ...rest } = store.state;
      store.set(rest);
    },
    reportTiles: noop,
    connection: new Store<NowState>({}),
  });
}

export function leftOf(state: Partial<LeftState>) {
  const store = new Store<LeftState>({
    roomName: 'Teamrunde',
    viewer: 'account',
    reason: 'left',
    home: true,
    ...state,
  });
  return Object.assign(store, { joinAgain: noop, goHome: noop });
}
