/** Everybody with an account: searched, paged, made one by one or by table, and brought in from LDAP. */

import type { AdminHttp } from '../../session/admin.ts';
import type { Browser } from '../browser.ts';
import { Copyable } from '../copyable.ts';
import { type SignedOut, Work } from '../work.ts';
import type { PeopleScreen, PeopleState, PersonDraft } from './screens.ts';

const TYPING_MS = 250;

export interface PeoplePorts {
  readonly browser: Browser;
  readonly http: AdminHttp;
  /** Whether the house sends mail. */
  readonly mail: boolean;
  readonly signedOut: SignedOut;
}

export class PeopleModel extends Work<PeopleState> implements PeopleScreen {
  readonly #ports: PeoplePorts;
  #next: string | undefined;
  #cancelTyping = (): void => {};
  /** Counts searches: a late answer to an old one is dropped. */
  #asked = 0;
  #table: { file: string; text: string } | undefined;

  constructor(ports: PeoplePorts) {
    super(
      { busy: false, text: '', group: '', groups: [], total: 0, hasMore: false, mail: ports.mail },
      ports.signedOut,
    );
    this.#ports = ports;
    void this.#start();
  }

  close(): void {
    this.#cancelTyping();
    this.#asked += 1;
  }

  setText(text: string): void {
    this.patch({ text });
    this.#cancelTyping();
    this.#cancelTyping = this.#ports.browser.clock.after(TYPING_MS, () => void this.#search());
  }

  setGroup(group: string): void {
    this.patch({ group });
    void this.#search();
  }

  more(): void {
    if (this.#next !== undefined) void this.#search(this.#next);
  }

  retry(): void {
    void this.#start();
  }

  async make(draft: PersonDraft): Promise<boolean> {
    const made = await this.attempt(() => this.#ports.http.people.create(draft));
    if (!made) return false;
    const { person, link } = made;
    const text = new Copyable(this.#ports.browser, link.url);
    this.patch({ told: { kind: 'link', text, name: person.name, expiresAt: link.expires_ms, mailed: link.mailed } });
    await this.#search();
    return true;
  }

  forgetTold(): void {
    this.patch({ told: undefined });
  }

  async tryTable(file: File): Promise<boolean> {
    this.#table = { file: file.name, text: await file.text() };
    return this.#import(true);
  }

  async bringIn(): Promise<boolean> {
    const done = await this.#import(false);
    if (done) await this.#search();
    return done;
  }

  closeReport(): void {
    this.#table = undefined;
    this.patch({ report: undefined, problem: undefined });
  }

  syncLdap(): void {
    void this.attempt(() => this.#ports.http.people.syncLdap()).then(async (ldap) => {
      if (!ldap) return;
      this.patch({ ldap });
      await this.#search();
    });
  }

  async #import(dryRun: boolean): Promise<boolean> {
    const table = this.#table;
    if (!table) return false;
    const report = await this.attempt(() => this.#ports.http.people.import(table.text, dryRun));
    if (report) this.patch({ report: { ...report, file: table.file, dryRun } });
    return report !== undefined;
  }

  async #start(): Promise<void> {
    const { http } = this.#ports;
    // Where there is no LDAP, its status is not found: that is no problem of this page.
    const ldap = http.people.ldap().catch(() => undefined);
    const known = await this.attempt(async () => {
      const { groups } = await http.groups();
      return { groups: groups.map(({ name }) => name), ldap: await ldap };
    });
    if (known) this.patch(known);
    await this.#search();
  }

  /** Not one of the things that wait for each other: typing goes on while an answer is on its way. */
  async #search(after?: string): Promise<void> {
    this.#cancelTyping();
    const asked = ++this.#asked;
    const { text, group } = this.state;
    const page = await this.guard(() => this.#ports.http.people.list({ text: text.trim(), group, after }));
    if (!page || asked !== this.#asked) return;
    this.#next = page.next;
    const before = after === undefined ? [] : (this.state.people ?? []);
    this.patch({ people: [...before, ...page.people], total: page.total, hasMore: page.next !== undefined });
  }
}
