/** The whole app of somebody who is signed in, with a server that says what the test says. For tests only. */

import type { Media } from '../../../media/media.ts';
import type { Call, HomeChange, House, Participant, RoomView, ServerMessage } from '../../../protocol/generated.ts';
import type { FakeSocket } from '../../../session/tests/fakes.ts';
import { settle } from '../../../tests/clock.ts';
import { AppModel } from '../../app.ts';
import type { Page } from '../../screens.ts';
import { FakeShell } from '../../tests/fake_shell.ts';
import { FakeWakeable } from '../../tests/fake_wakeable.ts';
import {
  FakeBrowser,
  FakeCapture,
  FakeMedia,
  FakeNotices,
  FakeServer,
  type FakeStorage,
  FakeTones,
  homeOf,
  SILENT_REPORT,
} from '../../tests/fakes.ts';

const ANNA = { id: 'u-anna', username: 'anna', name: 'Anna', admin: false };
const HOUSE: House = {
  app: { build: '0.1.0-1' },
  name: 'Haus',
  setup_needed: false,
  guests: true,
  open_house: false,
  local_sign_in: true,
  providers: [],
  recovery_mail: false,
  mail: false,
  user: ANNA,
};
export const BEN = { id: 'u-ben', name: 'Ben' };

export function incoming(fields: Partial<Call> = {}): Call {
  return {
    id: 'k-1',
    room: 'r-9',
    direction: 'incoming',
    person: BEN,
    video: true,
    ringing: true,
    started_at: 0,
    ...fields,
  };
}

export function outgoing(fields: Partial<Call> = {}): Call {
  return incoming({ direction: 'outgoing', ...fields });
}

export function somebody(id: string, name: string, joined_at = 0): Participant {
  return { id, name, guest: false, presence: 'connected', tracks: [], joined_at };
}

export class Scene {
  readonly server = new FakeServer();
  readonly capture = new FakeCapture();
  readonly tones = new FakeTones();
  readonly notices = new FakeNotices();
  readonly media: FakeMedia[] = [];
  readonly browser: FakeBrowser;
  readonly app: AppModel;
  #seq = 0;
  #roomSeq = 0;

  constructor(path = '/', session?: FakeStorage) {
    this.browser = new FakeBrowser(path);
    if (session) {
      this.browser.session = session;
      this.browser.reloaded = true;
    }
    this.server.on('GET /me', 200, HOUSE);
    this.server.on('POST /tickets', 200, { ticket: 't' });
    this.server.on('GET /people', 200, { people: [ANNA, { ...BEN, username: 'ben' }], more: false, type_more: false });
    this.app = new AppModel({
      browser: this.browser,
      http: this.server.http,
      capture: this.capture,
      tones: this.tones,
      notices: this.notices,
      planner: { unixMs: () => 0, words: ({ title }) => ({ title, text: '' }) },
      shell: new FakeShell(),
      wakeable: new FakeWakeable(),
      newStream: () => ({}) as MediaStream,
      measureLevel: () => () => {},
      report: SILENT_REPORT,
      newMedia: (events) => {
        const media = new FakeMedia(events);
        this.media.push(media);
        return media as unknown as Media;
      },
      newClient: (ticket) => this.server.client(this.browser.clock, ticket),
    });
  }

  async start(...calls: Call[]): Promise<this> {
    this.app.start();
    await settle();
    return this.connect(...calls);
  }

  /** The session is over, wherever that was decided. */
  signOut(): void {
    const { user: _, ...house } = HOUSE;
    this.server.on('GET /me', 200, house);
    this.server.on('POST /tickets', 401, { code: 'sign_in_required' });
  }

  /** The socket is open, and the server says what rings. */
  async connect(...calls: Call[]): Promise<this> {
    this.socket.open();
    this.#seq = 0;
    this.socket.say({ type: 'home_snapshot', epoch: 'h', seq: 0, home: homeOf({ calls }) });
    await settle();
    return this;
  }

  get socket(): FakeSocket {
    return this.server.socket;
  }

  get calls(): AppModel['calls'] {
    return this.app.calls;
  }

  get path(): string {
    const { pathname, search, hash } = this.browser.address();
    return pathname + search + hash;
  }

  page<N extends Page['name']>(name: N): Extract<Page, { name: N }> {
    const { page } = this.app.state;
    if (page.name !== name) throw new Error(`expected ${name}, stands on ${page.name}`);
    return page as Extract<Page, { name: N }>;
  }

  /** What the home channel says. */
  async change(change: HomeChange): Promise<void> {
    this.socket.say({ type: 'home_delta', seq: ++this.#seq, change });
    await settle();
  }

  rings(call: Call): Promise<void> {
    return this.change({ type: 'call_changed', call });
  }

  ends(call: string, end: Extract<HomeChange, { type: 'call_ended' }>['end']): Promise<void> {
    return this.change({ type: 'call_ended', call, end });
  }

  /** Answers the last intent of this type. */
  async answer(type: Parameters<FakeSocket['all']>[0], how: 'ok' | Call | { code: 'call_over' | 'cannot_be_called' }) {
    const intent = this.socket.all(type).at(-1);
    if (!intent || !('id' in intent)) throw new Error(`no ${type} was sent`);
    const { id } = intent;
    let message: ServerMessage = { type: 'ok', id };
    if (how !== 'ok')
      message = 'code' in how ? { type: 'error', id, code: how.code } : { type: 'calling', id, call: how };
    this.socket.say(message);
    await settle();
  }

  /** What the room of the call shows: oneself and these. */
  async room(...others: Participant[]): Promise<void> {
    const room: RoomView = {
      id: 'r-9',
      name: '',
      access: 'accounts',
      kind: 'call',
      knock: false,
      owner: false,
      knocking: [],
      you: 'me',
      participants: [somebody('me', 'Anna'), ...others],
      speaking: [],
      slots: [],
      demand: [],
    };
    this.#roomSeq += 1;
    this.socket.say({ type: 'room_snapshot', epoch: 'e', seq: this.#roomSeq, room });
    await settle();
  }

  /** Anna calls Ben, and it rings there. */
  async ring(video = true): Promise<void> {
    this.calls.call(BEN, video);
    await settle();
    await this.answer('start_call', outgoing());
    await this.rings(outgoing());
    await this.room();
  }
}
