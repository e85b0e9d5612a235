/**
 * The share sheet: one for all places. Who can enter with this link, opening and closing the room, a better name, and
 * links for people without an account who are invited.
 */

import type { Door, RoomInvite } from '../protocol/generated.ts';
import type { Http } from '../session/http.ts';
import { joinPath } from './address.ts';
import type { Browser } from './browser.ts';
import { MailModel } from './meetings/mail.ts';
import { problemFrom } from './problem.ts';
import { hardToGuess, isGuessable, roomPath } from './room_name.ts';
import type { InviteLife, InvitesView, InviteView, RoomAccess, ShareScreen, ShareState, ShareWay } from './screens.ts';
import { Store } from './store.ts';

const COPIED_MS = 2_000;
const DAY_MS = 86_400_000;
const LIFE_MS: { readonly [L in InviteLife]: number } = { day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS };

export interface SharedRoom {
  readonly name: string;
  readonly access: RoomAccess;
  readonly knock: boolean;
  readonly owner: boolean;
  /** The reader owns it or has been inside. */
  readonly known: boolean;
}

export interface SharePorts {
  readonly browser: Browser;
  readonly http: Http;
  /** Whether this house has guests at all. */
  readonly guests: boolean;
  /** Whether the reader has an account. */
  readonly account: boolean;
  /** The server took a change. */
  changed(door: Door): void;
}

export class ShareModel extends Store<ShareState> implements ShareScreen {
  readonly #ports: SharePorts;
  #room: SharedRoom;
  #way: ShareWay = 'room';
  #life: InviteLife = 'week';
  #list: readonly InviteView[] | undefined;
  /** The invite that was made last: only now is its link known. */
  #told: { readonly id: string; readonly token: string; readonly expiresAt: number } | undefined;
  #cancelCopied = (): void => {};
  #mail: MailModel | undefined;

  constructor(ports: SharePorts, room: SharedRoom) {
    super({
      roomName: room.name,
      way: 'room',
      access: room.access,
      knock: room.knock,
      canSetKnock: room.owner,
      busy: false,
      ...NOT_COPIED,
      canShareNatively: false,
    });
    this.#ports = ports;
    this.#room = room;
    this.#draw();
  }

  /** The room was changed, here or by somebody else. */
  follow(room: SharedRoom): void {
    const offerStands = room.name === this.#room.name && room.access === 'guests';
    this.#room = room;
    if (!offerStands) this.patch({ offeredName: undefined });
    this.#draw();
  }

  choose(way: ShareWay): void {
    this.#way = way;
    this.#notCopied();
    this.closeMail();
    this.patch({ problem: undefined });
    this.#draw();
    if (way === 'invite' && !this.#list) void this.#loadInvites();
  }

  setLife(life: InviteLife): void {
    this.#life = life;
    this.#draw();
  }

  makeInvite(): void {
    void this.#ask(async (http) => {
      const { token, invite } = await http.createInvite({ room: this.#room.name, life_ms: LIFE_MS[this.#life] });
      this.#told = { id: invite.id, token, expiresAt: invite.expires_ms };
      this.#list = [inviteView(invite), ...(this.#list ?? [])];
      this.#notCopied();
    });
  }

  forgetInvite(): void {
    this.#told = undefined;
    this.#notCopied();
    this.#draw();
  }

  takeBack(id: string): Promise<boolean> {
    return this.#ask(async (http) => {
      await http.takeBackInvite(id);
      this.#list = this.#list?.filter((invite) => invite.id !== id);
      if (this.#told?.id === id) this.#told = undefined;
    });
  }

  setAllowGuests(on: boolean): void {
    const { name } = this.#room;
    const access = on ? 'guests' : 'accounts';
    void this.#ask(async (http) => {
      await this.#change(http, { name, access });
      const offer = on && isGuessable(this.#room.name);
      this.patch({ offeredName: offer ? this.#offer() : undefined });
    });
  }

  setKnock(on: boolean): void {
    void this.#ask((http) => this.#change(http, { name: this.#room.name, knock: on }));
  }

  useOfferedName(): void {
    const { offeredName } = this.state;
    if (!offeredName) return;
    void this.#ask((http) => this.#change(http, { name: this.#room.name, new_name: offeredName }));
  }

  keepName(): void {
    this.patch({ offeredName: undefined });
  }

  copy(): void {
    const { link } = this.state;
    if (link === undefined) return;
    this.#cancelCopied();
    this.#ports.browser.copy(link).then(
      () => {
        this.patch({ copied: true, copyFailed: false });
        this.#cancelCopied = this.#ports.browser.clock.after(COPIED_MS, () => this.patch({ copied: false }));
      },
      () => this.patch({ copied: false, copyFailed: true }),
    );
  }

  shareNatively(): void {
    const { link } = this.state;
    // Closing the system's sheet is a decision and no problem.
    if (link !== undefined) this.#ports.browser.shareNatively({ title: this.#room.name, url: link }).catch(() => {});
  }

  openMail(): void {
    if (this.state.mail || this.state.link === undefined) return;
    const target = () => ({
      room: this.#room.name,
      invite: this.state.way === 'invite' ? this.#told?.token : undefined,
    });
    this.#mail = new MailModel(this.#ports, this.#ports.account, target);
    this.patch({ mail: this.#mail });
  }

  closeMail(): void {
    this.#mail?.close();
    this.patch({ mail: undefined });
  }

  close(): void {
    this.#cancelCopied();
    this.closeMail();
  }

  #offer(): string {
    return hardToGuess(this.#room.name, (length) => this.#ports.browser.randomBytes(length));
  }

  async #loadInvites(): Promise<void> {
    try {
      const { invites } = await this.#ports.http.invites(this.#room.name);
      this.#list = invites.map(inviteView);
      this.#draw();
    } catch (error) {
      this.patch({ problem: problemFrom(error) });
    }
  }

  /** One thing at a time; what goes wrong is shown, and nothing else changes. */
  async #ask(task: (http: Http) => Promise<void>): Promise<boolean> {
    if (this.state.busy) return false;
    this.patch({ busy: true, problem: undefined });
    try {
      await task(this.#ports.http);
      return true;
    } catch (error) {
      this.patch({ problem: problemFrom(error) });
      return false;
    } finally {
      this.patch({ busy: false });
      this.#draw();
    }
  }

  async #change(http: Http, change: Parameters<Http['changeRoom']>[0]): Promise<void> {
    const door = await http.changeRoom(change);
    this.follow(door);
    this.#ports.changed(door);
  }

  #notCopied(): void {
    this.#cancelCopied();
    this.patch(NOT_COPIED);
  }

  #draw(): void {
    const { browser, guests } = this.#ports;
    const { name, access, knock, owner, known } = this.#room;
    const { origin } = browser.address();
    const invites = guests && known ? this.#invites() : undefined;
    const way = invites ? this.#way : 'room';
    const invite = this.#told && origin + joinPath(this.#told.token);
    this.patch({
      roomName: name,
      way,
      link: way === 'room' ? origin + roomPath(name, access) : invite,
      invites,
      access,
      knock,
      canSetKnock: owner,
      canShareNatively: browser.canShareNatively,
      allowGuests: owner && (guests || access === 'guests') ? access === 'guests' : undefined,
    });
  }

  #invites(): InvitesView {
    return {
      life: this.#life,
      ...(this.#list ? { list: this.#list } : {}),
      ...(this.#told ? { expiresAt: this.#told.expiresAt } : {}),
    };
  }
}

const NOT_COPIED = { copied: false, copyFailed: false };

function inviteView({ id, by, expires_ms }: RoomInvite): InviteView {
  return { id, by, expiresAt: expires_ms };
}
