/** One person as administrators see and change them. */

import type { ChangePerson } from '../../protocol/generated.ts';
import { exportPath } from '../../session/admin.ts';
import { Copyable } from '../copyable.ts';
import { Work } from '../work.ts';
import type { PeoplePorts } from './people.ts';
import type { PersonScreen, PersonState } from './screens.ts';

export interface PersonPorts extends PeoplePorts {
  /** Whether it is the reader. */
  readonly you: boolean;
  /** The person is gone: back to the list. */
  removed(): void;
}

export class PersonModel extends Work<PersonState> implements PersonScreen {
  readonly #ports: PersonPorts;
  readonly #id: string;

  constructor(ports: PersonPorts, id: string) {
    const { mail, you } = ports;
    super({ busy: false, groups: [], mail, you, exportPath: exportPath(id) }, ports.signedOut);
    this.#ports = ports;
    this.#id = id;
    this.retry();
  }

  retry(): void {
    void this.#after(async () => undefined);
  }

  save({ name, mail }: { name: string; mail: string }): Promise<boolean> {
    return this.#change({ name, mail });
  }

  setAdmin(on: boolean): void {
    void this.#change({ admin: on });
  }

  setLocked(on: boolean): Promise<boolean> {
    return this.#change({ locked: on });
  }

  setGroup(group: string, on: boolean): void {
    const groups = this.state.details?.person.groups ?? [];
    const others = groups.filter((one) => one !== group);
    void this.#change({ groups: on ? [...others, group] : others });
  }

  removeSecondFactors(): Promise<boolean> {
    return this.#change({ remove_second_factors: true });
  }

  async recover(sendMail: boolean): Promise<boolean> {
    const link = await this.attempt(() => this.#ports.http.people.recovery(this.#id, sendMail));
    if (!link) return false;
    const text = new Copyable(this.#ports.browser, link.url);
    const name = this.state.details?.person.name ?? '';
    this.patch({ told: { kind: 'link', text, name, expiresAt: link.expires_ms, mailed: link.mailed } });
    return true;
  }

  forgetTold(): void {
    this.patch({ told: undefined });
  }

  endSession(id: string): void {
    void this.#after(() => this.#ports.http.remove('sessions', id));
  }

  endSessions(): void {
    void this.#after(() => this.#ports.http.people.endSessions(this.#id));
  }

  async remove(): Promise<boolean> {
    const gone = await this.attempt(() => this.#ports.http.people.remove(this.#id));
    if (gone) this.#ports.removed();
    return gone !== undefined;
  }

  #change(change: Partial<ChangePerson>): Promise<boolean> {
    return this.#after(() => this.#ports.http.people.change(this.#id, change));
  }

  /** Locking and taking factors away changes sessions and keys as well: all of it is read anew. */
  async #after(act: () => Promise<unknown>): Promise<boolean> {
    const { http } = this.#ports;
    const known = await this.attempt(async () => {
      await act();
      const [details, { groups }] = await Promise.all([http.people.details(this.#id), http.groups()]);
      return { details, groups: groups.map(({ name }) => name) };
    });
    if (known) this.patch(known);
    return known !== undefined;
  }
}
