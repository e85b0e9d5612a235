/**
 * What happens at a door before the click: whoever may come in has the connection to the server, and the media
 * connection, up already. Nothing flows and nobody is told. Whatever fails here fails quietly: joining does it then.
 */

import type { Client } from '../session/client.ts';
import type { Http } from '../session/http.ts';
import type { Browser } from './browser.ts';
import type { Call } from './call.ts';
import type { Device } from './device_id.ts';
import type { Grant, Remembered } from './remembered.ts';

/** A name is a guest's when nobody has typed for so long. */
const REST_MS = 1_000;
/** What did not work or has ended is tried again when somebody stirs, but not at every move. */
const AGAIN_MS = 10_000;
/** Names that a guest tries out before one joins by the last of them only. */
const MOST_GRANTS = 3;

export interface DoorstepPorts {
  readonly browser: Browser;
  readonly http: Http;
  readonly remembered: Remembered;
  readonly device: Promise<Device>;
  /** The account's own connection; absent for guests. */
  readonly client: Client | undefined;
  newGuestClient(grant: string): Client;
}

/** Who stands where. */
export interface Standing {
  /** As the address says it, `public/` included. */
  readonly text: string;
  readonly room: string;
  /** Guests only: a good one. */
  readonly name: string | undefined;
  readonly invite: string | undefined;
  readonly call: Call;
}

interface Guest {
  readonly grant: Grant;
  readonly client: Client;
  /** From before: it may be over, and another may be had. */
  readonly old: boolean;
}

export class Doorstep {
  readonly #ports: DoorstepPorts;
  #standing: Standing | undefined;
  #guest: Guest | undefined;
  #greeting: { name: string; guest: Promise<Guest> } | undefined;
  #grants = 0;
  #triedAt = Number.NEGATIVE_INFINITY;
  #unlisten = (): void => {};
  #cancelRest = (): void => {};

  constructor(ports: DoorstepPorts) {
    this.#ports = ports;
    if (ports.client) this.#listenTo(ports.client);
  }

  /** Somebody who may come in without knocking stands here, under this name, or nobody does any more. */
  stand(standing: Standing | undefined): void {
    const before = this.#standing;
    this.#standing = standing;
    this.#cancelRest();
    if (!standing) return;
    const { browser, client, remembered } = this.#ports;
    if (before?.call !== standing.call) this.#triedAt = Number.NEGATIVE_INFINITY;
    if (client) {
      this.#prepare(client);
      return;
    }
    const { invite, name, room } = standing;
    if (name === undefined) return;
    if (this.#guest?.grant.name === name || isFor(remembered.grant(room), name, invite)) this.#greet();
    else if (this.#grants < MOST_GRANTS) this.#cancelRest = browser.clock.after(REST_MS, () => this.#greet());
  }

  /** Somebody moves: what has ended by itself comes up again. */
  stir(): void {
    if (this.#standing) this.stand(this.#standing);
  }

  /** The connection of a guest who comes in: the one that stands here already, or a new one. */
  async guest(name: string, room: string, text: string, invite: string | undefined): Promise<Guest> {
    const { remembered } = this.#ports;
    const guest = await this.#guestOf(name, room, text, invite);
    remembered.setGrant(guest.grant);
    remembered.guestName = guest.grant.name;
    return guest;
  }

  /** The guest's connection is of no use any more. */
  dismiss(): void {
    this.#guest?.client.stop();
    this.#forget();
  }

  close(): void {
    this.#cancelRest();
    this.#unlisten();
    this.#standing = undefined;
  }

  #forget(): void {
    if (!this.#ports.client) this.#unlisten();
    this.#guest = undefined;
    this.#greeting = undefined;
  }

  #greet(): void {
    const standing = this.#standing;
    if (standing?.name === undefined || !this.#isTime(standing.call)) return;
    this.#triedAt = this.#ports.browser.clock.now();
    this.#guestOf(standing.name, standing.room, standing.text, standing.invite).then(
      ({ client }) => {
        const now = this.#standing;
        if (now?.name !== standing.name || now?.call !== standing.call) return;
        client.start();
        this.#bringUp(client);
      },
      () => {},
    );
  }

  #guestOf(name: string, room: string, text: string, invite: string | undefined): Promise<Guest> {
    if (this.#greeting?.name === name) return this.#greeting.guest;
    this.dismiss();
    const greeting = { name, guest: this.#newGuest(name, room, text, invite) };
    this.#greeting = greeting;
    const settle = (guest: Guest | undefined): void => {
      if (this.#greeting !== greeting) {
        // Another name was faster: this one was never used.
        guest?.client.stop();
        return;
      }
      if (guest) {
        this.#guest = guest;
        this.#listenTo(guest.client);
      } else this.#greeting = undefined;
    };
    greeting.guest.then(settle, () => settle(undefined));
    return greeting.guest;
  }

  async #newGuest(name: string, room: string, text: string, invite: string | undefined): Promise<Guest> {
    const { http, remembered } = this.#ports;
    const known = remembered.grant(room);
    if (known && isFor(known, name, invite)) return this.#asGuest(known, true);
    const by = invite === undefined ? {} : { invite };
    this.#grants++;
    const entry = await http.enterAsGuest({ room: text, name, ...by });
    return this.#asGuest({ room, grant: entry.grant, name: entry.name, ...by }, false);
  }

  #asGuest(grant: Grant, old: boolean): Guest {
    return { grant, old, client: this.#ports.newGuestClient(grant.grant) };
  }

  #listenTo(client: Client): void {
    this.#unlisten = client.listen({
      live: (live) => {
        if (live && this.#standing) this.#bringUp(client);
      },
      ended: () => {
        if (client !== this.#guest?.client) return;
        if (this.#guest.old) this.#ports.remembered.setGrant(undefined);
        this.#forget();
      },
    });
  }

  #prepare(client: Client): void {
    const standing = this.#standing;
    if (!standing || !client.live || !this.#isTime(standing.call)) return;
    this.#bringUp(client);
  }

  #bringUp(client: Client): void {
    const standing = this.#standing;
    if (!standing || !client.live || standing.call.prepared) return;
    this.#triedAt = this.#ports.browser.clock.now();
    this.#ports.device
      .then((device) =>
        this.#standing === standing ? standing.call.prepare(client, standing.text, device.id) : undefined,
      )
      .catch(() => {});
  }

  #isTime(call: Call): boolean {
    return !call.prepared && this.#ports.browser.clock.now() - this.#triedAt >= AGAIN_MS;
  }
}

function isFor(grant: Grant | undefined, name: string, invite: string | undefined): boolean {
  return grant?.name === name && grant.invite === invite;
}
