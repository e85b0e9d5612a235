/** Somebody of the house with a connection, on which the test says what the server says. For tests only. */

import type { HistoryEntry, Home, HomeChange, Person } from '../../../protocol/generated.ts';
import { settle } from '../../../tests/clock.ts';
import type { Callee } from '../../calls/port.ts';
import { Remembered } from '../../remembered.ts';
import { FakeBrowser, FakeServer, homeOf } from '../../tests/fakes.ts';
import { Caller } from '../caller.ts';

export class Line {
  readonly browser = new FakeBrowser();
  readonly server = new FakeServer();
  readonly client = this.server.client(this.browser.clock);
  readonly called: { person: Callee; video: boolean }[] = [];
  readonly remembered = new Remembered(this.browser);
  readonly caller = new Caller({ call: (person, video) => this.called.push({ person, video }) }, this.remembered);
  #seq = 0;

  async open(home: Partial<Home> = {}): Promise<this> {
    this.server.on('POST /tickets', 200, { ticket: 't' });
    this.client.start();
    await settle();
    this.server.socket.open();
    this.snapshot(home);
    await settle();
    return this;
  }

  snapshot(home: Partial<Home> = {}): void {
    this.#seq = 0;
    this.server.socket.say({ type: 'home_snapshot', epoch: 'h', seq: 0, home: homeOf(home) });
  }

  say(change: HomeChange): void {
    this.server.socket.say({ type: 'home_delta', seq: ++this.#seq, change });
  }

  ports() {
    const { browser, caller, client, server } = this;
    return { browser, caller, client, http: server.http, you: 'u-1' };
  }

  /** What was asked for over HTTP, below `/api/v1`. */
  asked(): string[] {
    return this.server.addresses.filter((address) => address !== '/tickets');
  }
}

export function person(id: string, name: string, fields: Partial<Person> = {}): Person {
  return { id, name, username: name.toLowerCase(), favourite: false, ...fields };
}

export function entry(id: string, fields: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    id,
    kind: 'incoming',
    person: { id: 'u-2', name: 'Béla' },
    video: false,
    started_at: 0,
    seen: true,
    ...fields,
  };
}
