/**
 * The root of all models: which page stands, who is signed in, and what lives longer than a page (the account's
 * connection, the devices). Opens and closes the models of the pages.
 */

import type { House, RoomLeftReason, RoomView, Status, User } from '../protocol/generated.ts';
import type { Client } from '../session/client.ts';
import type { Http } from '../session/http.ts';
import { AccountLinkModel, ForgottenModel } from './account_link.ts';
import {
  clientIdOf,
  doorWishes,
  leavesApp,
  type Opening,
  personPath,
  providerPath,
  type Route,
  routeOf,
  signInPath,
} from './address.ts';
import type { Browser } from './browser.ts';
import { Call, type CallPorts } from './call.ts';
import { type CallEntry, CallsModel } from './calls/calls.ts';
import { MeetingCalls } from './calls/in_meeting.ts';
import { CallPageModel } from './calls/page.ts';
import type { Notices, Tones } from './calls/ports.ts';
import { browserId, claimDevice, type Device } from './device_id.ts';
import { DevicesModel, type DevicesPorts } from './devices.ts';
import { DoorModel } from './door.ts';
import { LeftModel, SetupModel } from './entrance.ts';
import { HomeModel } from './home.ts';
import { houseView } from './house_view.ts';
import { LobbyModel } from './lobby.ts';
import { MeetingModel } from './meeting.ts';
import { MeetingsModel, type MeetingsPorts } from './meetings/meetings.ts';
import { accountPage, adminPage, connectionPage, lastStay, type OwnPagePorts } from './own_pages.ts';
import { Caller } from './people/caller.ts';
import { Own } from './people/own.ts';
import { PersonPageModel } from './people/person.ts';
import { problemFrom } from './problem.ts';
import type { Wakeable } from './push/ports.ts';
import { PushModel } from './push/push.ts';
import { Remembered } from './remembered.ts';
import { readRoomText, roomTextFromPath } from './room_name.ts';
import type { AppScreen, AppState, Page, Problem } from './screens.ts';
import type { ShellPorts } from './shell/ports.ts';
import { ShellModel } from './shell/shell.ts';
import { SignInModel } from './sign_in.ts';
import { Store } from './store.ts';

/** How often a page that could not be loaded is tried again. */
const RETURN_MS = 3_000;

export interface AppPorts extends Omit<DevicesPorts, 'remembered'>, Omit<CallPorts, 'devices'> {
  readonly browser: Browser;
  readonly http: Http;
  readonly tones: Tones;
  readonly notices: Notices;
  readonly wakeable: Wakeable;
  readonly shell: ShellPorts;
  readonly planner: Pick<MeetingsPorts, 'words' | 'unixMs'>;
  newClient(ticket: () => Promise<string>): Client;
}

export class AppModel extends Store<AppState> implements AppScreen {
  readonly devices: DevicesModel;
  readonly calls: CallsModel;
  readonly meetings: MeetingsModel;
  readonly shell: ShellModel;
  readonly push: PushModel;
  readonly #ports: AppPorts;
  readonly #remembered: Remembered;
  readonly #device: Promise<Device>;
  readonly #caller: Caller;
  readonly #own: Own;
  #house: House | undefined;
  /** The signed-in person's connection. */
  #client: Client | undefined;
  /** Gives up what the page holds. */
  #closePage = (): void => {};
  #meeting: MeetingModel | undefined;
  #callPage: CallPageModel | undefined;
  /** Counts pages: one that is loaded when another stands already is not shown. */
  #opening = 0;

  constructor(ports: AppPorts) {
    super({ page: { name: 'loading' } });
    this.#ports = ports;
    this.#remembered = new Remembered(ports.browser);
    this.devices = new DevicesModel({
      capture: ports.capture,
      remembered: this.#remembered,
      newStream: (track) => ports.newStream(track),
      measureLevel: (stream, onLevel) => ports.measureLevel(stream, onLevel),
    });
    this.#device = claimDevice(ports.browser);
    this.calls = new CallsModel({
      browser: ports.browser,
      tones: ports.tones,
      notices: ports.notices,
      canVideo: () => ports.capture.obstacle === undefined,
      enter: (entry) => this.#openCall(entry),
    });
    const navigate = (path: string): void => this.navigate(path);
    this.meetings = new MeetingsModel({ ...ports, ...ports.planner, calls: this.calls, navigate });
    const served = async () => (await ports.http.house()).app;
    this.shell = new ShellModel({ ...ports.shell, browser: ports.browser, served });
    this.push = new PushModel({
      wakeable: ports.wakeable,
      api: ports.http.api,
      storage: ports.browser.local,
      browserId: () => browserId(ports.browser),
      connected: () => this.#client?.live ?? false,
      offer: (wanted) => (wanted ? this.shell.wantsPush(true) : this.shell.decline('push')),
    });
    this.subscribe((state) => this.shell.follow(state));
    this.#caller = new Caller(this.calls, this.#remembered);
    this.#own = new Own(ports.browser, (own) => this.patch({ own }));
    ports.browser.onBack(() => this.#wentBack());
    ports.browser.onVisibility(() => {
      this.#client?.check();
      this.#meeting?.visibilityChanged();
      this.shell.visibilityChanged();
    });
    ports.browser.onNetwork(() => {
      this.#client?.check();
      this.#meeting?.networkChanged();
      if (this.state.page.name === 'error') void this.#load();
    });
  }

  start(): void {
    void this.#load();
  }

  navigate(path: string): void {
    this.#ports.browser.push(path);
    this.#route();
  }

  signIn(): void {
    const { hash, pathname } = this.#ports.browser.address();
    this.#remembered.setFragment(pathname, hash);
    this.navigate(signInPath(pathname));
  }

  signOut(): void {
    this.#ports.http.signOut().then(
      ({ go_to }) => {
        this.#remembered.signedOut = true;
        // To the provider that this sign-in came from, so that it ends there as well.
        if (go_to) this.#ports.browser.leave(go_to);
        else {
          this.#ports.browser.push('/');
          void this.#load();
        }
      },
      (error) => this.#show({ name: 'error', problem: problemFrom(error) }),
    );
  }

  setStatus(status: Status): void {
    this.#own.setStatus(status);
  }

  retry(): void {
    this.#show({ name: 'loading' });
    void this.#load();
  }

  async #load(): Promise<void> {
    try {
      this.#house = await this.#ports.http.house();
    } catch (error) {
      this.#showError(problemFrom(error));
      return;
    }
    this.patch({ house: houseView(this.#house) });
    this.shell.serverHolds(this.#house.app);
    this.push.follow(this.#house.user?.id);
    if (this.#house.user) {
      this.#remembered.signedOut = false;
      // Whoever is signed in can be called, on whatever page they are.
      this.#accountClient();
    } else this.#forgetClient();
    this.#restoreFragment();
    this.#route();
  }

  /** Back from a provider: the redirects have not carried it. */
  #restoreFragment(): void {
    const { browser } = this.#ports;
    const { pathname, search, hash } = browser.address();
    if (hash !== '' || pathname === '/sign-in') return;
    const kept = this.#remembered.takeFragment(pathname);
    if (kept) browser.replace(pathname + search + kept);
  }

  /** The one provider that people are sent to without a question, unless they have just signed out. */
  #onlyProvider(house: House): string | undefined {
    const [only, ...others] = house.providers;
    const unasked = only && others.length === 0 && !house.local_sign_in && !this.#remembered.signedOut;
    return unasked ? only.id : undefined;
  }

  /** Who comes from the portal to a room is an account there, not a guest: asked once, without showing anything. */
  #askSilently(text: string, house: House): boolean {
    const { browser } = this.#ports;
    const only = house.user ? undefined : this.#onlyProvider(house);
    const guest = this.#remembered.grant(readRoomText(text).name) !== undefined;
    if (only === undefined || guest || this.#remembered.askedSilently) return false;
    const { pathname, hash } = browser.address();
    this.#remembered.askedSilently = true;
    this.#remembered.setFragment(pathname, hash);
    browser.leave(providerPath(only, pathname, 'silent'));
    return true;
  }

  #forgetClient(): void {
    this.#client?.stop();
    this.#client = undefined;
    this.calls.detach();
    this.#own.follow(undefined);
    this.meetings.follow(undefined);
  }

  #route(): void {
    const house = this.#house;
    if (!house) return;
    const route = routeOf(this.#ports.browser.address());
    if (house.setup_needed && route.page !== 'setup') {
      this.#redirect('/setup');
      return;
    }
    this.#open(route, house);
  }

  /** A change of the fragment alone is told by browsers as going back, too, and leads nowhere. */
  #wentBack(): void {
    const { hash, pathname } = this.#ports.browser.address();
    const at = this.#meeting?.path ?? this.#callPage?.path;
    // An invite's fragment is no wish: another one leads elsewhere.
    const stays = at === (at?.includes('#') ? pathname + hash : pathname);
    if (!stays) this.#route();
  }

  #redirect(path: string): void {
    this.#ports.browser.replace(path);
    this.#route();
  }

  #open(route: Route, house: House): void {
    switch (route.page) {
      case 'home':
        if (house.user) this.#openHome(house, route.open);
        else if (house.open_house) this.#openLobby();
        else this.#redirect(signInPath(route.open ? `/?open=${route.open}` : '/'));
        return;
      case 'setup':
        if (house.setup_needed) this.#openSetup(route.token);
        else this.#redirect('/');
        return;
      case 'sign_in':
        if (house.user && !route.again) this.#goOn(route.to);
        else this.#openSignIn(route, house);
        return;
      case 'account':
      case 'admin':
      case 'connection':
      case 'person':
        this.#openOwn(route, house);
        return;
      case 'invite':
        this.#openAccountLink('invite', route.token);
        return;
      case 'recover':
        if (route.token === undefined && house.recovery_mail) this.#openForgotten();
        else this.#openAccountLink('recovery', route.token);
        return;
      case 'room':
        if (!this.#askSilently(route.text ?? '', house)) this.#openDoor(route.text ?? '', house);
        return;
      case 'join':
        this.#openDoor('', house, route.token);
        return;
      case 'call':
        if (house.user) this.#openCall({ kind: 'address', room: route.room, accept: route.accept });
        else this.#redirect(signInPath(this.#ports.browser.address().pathname));
        return;
      case 'not_found':
        this.#show({ name: 'not_found' });
    }
  }

  #goOn(to: string): void {
    if (leavesApp(to)) this.#ports.browser.leave(to);
    else this.#redirect(to + this.#remembered.takeFragment(to));
  }

  #openHome(house: House, open?: Opening): void {
    const { browser, http } = this.#ports;
    const home = new HomeModel({
      browser,
      http,
      client: this.#accountClient(),
      guests: house.guests,
      caller: this.#caller,
      you: house.user?.id ?? '',
      navigate: (path) => this.navigate(path),
    });
    const tab = open === 'contacts' ? open : undefined;
    this.#show({ name: 'home', screen: home, ...(tab ? { tab } : {}) }, () => home.close());
    if (open === 'call') home.openNewCall();
    // Wished for once: a reload is not to open it again.
    if (open) browser.replace('/');
  }

  #openPerson(id: string, user: User): void {
    const { browser, http } = this.#ports;
    const person = new PersonPageModel(
      {
        browser,
        http,
        client: this.#accountClient(),
        caller: this.#caller,
        signedOut: () => void this.#load(),
        you: user.id,
      },
      id,
    );
    this.#show({ name: 'person', screen: person }, () => person.close());
  }

  #openLobby(): void {
    const { browser } = this.#ports;
    this.#show({ name: 'lobby', screen: new LobbyModel({ browser, navigate: (path) => this.navigate(path) }) });
  }

  #openSetup(token: string | undefined): void {
    const screen = new SetupModel(this.#ports.http, token, () => {
      this.#ports.browser.replace('/');
      void this.#load();
    });
    this.#show({ name: 'setup', screen });
  }

  #openSignIn({ to, again, refusal }: Extract<Route, { page: 'sign_in' }>, house: House): void {
    const { browser, http } = this.#ports;
    const only = this.#onlyProvider(house);
    if (only !== undefined && !refusal && !again) {
      browser.leave(providerPath(only, to));
      return;
    }
    const manner = again ? 'again' : undefined;
    const text = roomTextFromPath(to);
    const roomName = text === undefined ? undefined : readRoomText(text).name;
    // Signed in, the same address leads on; out of the app there is nothing more to load.
    const done = (): void => (leavesApp(to) ? this.#goOn(to) : void this.#load());
    const screen = new SignInModel(
      { browser, http, done, clientId: clientIdOf(to) },
      {
        form: house.local_sign_in,
        providers: house.providers.map(({ id, name }) => ({ id, name, href: providerPath(id, to, manner) })),
        recovery: house.local_sign_in && house.recovery_mail,
        ...(refusal ? { refusal } : {}),
        ...(roomName ? { roomName } : {}),
      },
    );
    this.#show({ name: 'sign_in', screen }, () => screen.close());
  }

  /** Pages for accounts only. Where most people never go, the models are loaded when somebody does. */
  #openOwn(route: Extract<Route, { page: 'account' | 'admin' | 'connection' | 'person' }>, house: House): void {
    const { user } = house;
    if (!user) {
      this.#redirect(signInPath(this.#ports.browser.address().pathname));
      return;
    }
    // Whoever is locked or signed out elsewhere is told at once.
    this.#accountClient();
    if (route.page === 'person') this.#openPerson(route.id, user);
    else if (route.page === 'account') this.#openLater(() => accountPage(this.#ownPages()));
    else if (route.page === 'connection') this.#openLater(() => connectionPage(this.#ownPages(), route.id));
    else if (user.admin) this.#openLater(() => adminPage(this.#ownPages(), route, user, house));
    else this.#show({ name: 'not_found' });
  }

  #ownPages(): OwnPagePorts {
    const { browser, http } = this.#ports;
    return {
      browser,
      http,
      navigate: (path) => this.navigate(path),
      signedOut: () => void this.#load(),
      changed: () => this.#refreshHouse(),
    };
  }

  #openLater(open: () => Promise<Page & { screen: { close(): void } }>): void {
    const opening = ++this.#opening;
    open().then(
      (page) => {
        if (opening === this.#opening) this.#show(page, () => page.screen.close());
        else page.screen.close();
      },
      () => opening === this.#opening && this.#showError({ code: 'offline' }),
    );
  }

  /** Name, picture or logo are different now; the page stays. */
  #refreshHouse(): void {
    this.#ports.http.house().then(
      (house) => {
        this.#house = house;
        this.patch({ house: houseView(house) });
      },
      // It is shown with the next page.
      () => {},
    );
  }

  #openAccountLink(kind: 'invite' | 'recovery', token: string | undefined): void {
    const done = (signedIn: boolean): void => {
      // The link is used up: it must not stand in the address and in the history.
      this.#ports.browser.replace(signedIn ? '/' : '/sign-in');
      void this.#load();
    };
    const screen = new AccountLinkModel({ http: this.#ports.http, done }, kind, token);
    this.#show({ name: 'account_link', screen });
  }

  #openForgotten(): void {
    this.#show({ name: 'forgotten', screen: new ForgottenModel(this.#ports.http) });
  }

  #openDoor(text: string, house: House, invite?: string): void {
    const { browser, http } = this.#ports;
    const door = new DoorModel(
      {
        browser,
        http,
        remembered: this.#remembered,
        devices: this.devices,
        device: this.#device,
        guests: house.guests,
        invite,
        client: house.user ? this.#accountClient() : undefined,
        accountName: house.user?.name,
        newCall: () => new Call({ ...this.#callPorts(), devices: this.devices }),
        newGuestClient: (grant) => this.#newClient(() => http.ticket(grant)),
        entered: (call, view, client) => this.#openMeeting(call, view, client, house, invite),
        left: (reason, roomName) => this.#openLeft(reason, roomName, house),
      },
      text,
      doorWishes(browser.address().hash),
    );
    this.#show({ name: 'door', screen: door }, () => door.close());
    void door.open();
  }

  /** From any page into a call, and back to whom it was with. */
  #openCall(entry: CallEntry): void {
    const { browser, tones } = this.#ports;
    const house = this.#house;
    if (!house?.user) return;
    const client = this.#accountClient();
    const screen = new CallPageModel(
      {
        browser,
        client,
        tones,
        calls: this.calls,
        devices: this.devices,
        device: this.#device,
        remembered: this.#remembered,
        newCall: () => new Call({ ...this.#callPorts(), devices: this.devices }),
        entered: (call, view) => this.#openMeeting(call, view, client, house),
        left: (reason, name) => this.#openLeft(reason, name, house),
        goTo: (path) => this.#redirect(path),
      },
      entry,
    );
    this.#callPage = screen;
    this.#show({ name: 'call', screen }, () => {
      this.#callPage = undefined;
      screen.close();
    });
    screen.open();
  }

  #callPorts(): Omit<CallPorts, 'devices'> {
    const { capture, report } = this.#ports;
    return { capture, report, newMedia: (events) => this.#ports.newMedia(events) };
  }

  #openMeeting(call: Call, view: RoomView, client: Client, house: House, invite?: string): void {
    const { browser, capture, http } = this.#ports;
    const meeting = new MeetingModel(
      {
        browser,
        http,
        remembered: this.#remembered,
        devices: this.devices,
        guests: house.guests,
        viewer: house.user ? 'account' : 'guest',
        invite: house.user ? undefined : invite,
        canShareScreen: capture.canShareScreen,
        calls: house.user ? this.#newMeetingCalls(client, house.user) : undefined,
        left: (reason, roomName) => {
          if (view.kind === 'call' && (reason === 'left' || reason === 'call_ended')) this.#afterCall(view.id);
          else this.#openLeft(reason, roomName, house);
        },
      },
      call,
      view,
    );
    this.#show({ name: 'meeting', screen: meeting }, () => {
      this.#meeting = undefined;
      meeting.close();
      // A guest's connection is for this one stay.
      if (client !== this.#client) client.stop();
    });
    this.#meeting = meeting;
  }

  #newMeetingCalls(client: Client, { id: you }: User): MeetingCalls {
    const { browser, http } = this.#ports;
    return new MeetingCalls({ browser, http, client, calls: this.calls, remembered: this.#remembered, you });
  }

  /** To the page of whom one talked with; out of a group there is none. */
  #afterCall(room: string): void {
    const person = this.#remembered.call(room)?.person;
    this.#remembered.setCall(undefined);
    this.#redirect(person ? personPath(person.id) : '/');
  }

  #openLeft(reason: RoomLeftReason | 'left', roomName: string, house: House): void {
    const screen = new LeftModel(
      {
        roomName,
        reason,
        viewer: house.user ? 'account' : 'guest',
        home: house.open_house || (house.user !== undefined && reason !== 'session_ended'),
      },
      {
        joinAgain: () => void this.#load(),
        goHome: () => this.navigate('/'),
        clock: this.#ports.browser.clock,
        lastStay: () => lastStay(this.#ports.http),
      },
    );
    this.#show({ name: 'left', screen }, () => screen.close());
  }

  #accountClient(): Client {
    if (this.#client) return this.#client;
    const { http } = this.#ports;
    const client = this.#newClient(() => http.ticket());
    client.listen({
      home: (home) => this.shell.homeIs(home),
      ended: () => {
        if (this.#client !== client) return;
        this.#forgetClient();
        // The meeting says by itself that the session is over.
        if (['home', 'account', 'admin', 'connection', 'person'].includes(this.state.page.name)) void this.#load();
      },
    });
    client.start();
    this.#client = client;
    this.calls.attach(client);
    this.#own.follow(client);
    this.meetings.follow(client);
    return client;
  }

  /** What passes is tried again until it has. */
  #showError(problem: Problem): void {
    const again = (): void => void this.#load();
    const passes = problem.code === 'offline' || problem.code === 'unavailable';
    this.#show({ name: 'error', problem }, passes ? this.#ports.browser.clock.after(RETURN_MS, again) : undefined);
  }

  #newClient(ticket: () => Promise<string>): Client {
    const client = this.#ports.newClient(ticket);
    client.listen({
      app: (app) => this.shell.serverHolds(app),
      ended: ({ code }) => code === 'unsupported_version' && this.shell.refused(),
    });
    return client;
  }

  #show(page: Page, close: () => void = () => {}): void {
    this.#opening += 1;
    const closeBefore = this.#closePage;
    this.#closePage = close;
    closeBefore();
    this.patch({ page });
  }
}
