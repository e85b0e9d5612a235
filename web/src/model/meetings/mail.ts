/** Invitations into a room by mail: sent by the house where it sends mail, else left to one's own mail program. */

import type { Http } from '../../session/http.ts';
import { MeetingsHttp } from '../../session/meetings.ts';
import type { Browser } from '../browser.ts';
import { problemFrom } from '../problem.ts';
import { Store } from '../store.ts';
import { RecipientsModel } from './recipients.ts';
import type { Language, MailScreen, MailState } from './screens.ts';

/** What the letters lead to: the room's own link, or an invite to it. */
export interface MailTarget {
  readonly room: string;
  readonly invite?: string | undefined;
}

export class MailModel extends Store<MailState> implements MailScreen {
  readonly recipients: RecipientsModel;
  readonly #http: Http;
  readonly #target: () => MailTarget;

  constructor(ports: { readonly browser: Browser; readonly http: Http }, account: boolean, target: () => MailTarget) {
    super({ busy: false });
    this.#http = ports.http;
    this.#target = target;
    const { clock } = ports.browser;
    this.recipients = new RecipientsModel({ clock, http: ports.http, ...(account ? { people: 'with_mail' } : {}) });
    if (account) void this.#look();
    else this.patch({ byHouse: false });
  }

  send(language: Language): void {
    this.recipients.take();
    if (this.state.busy || !this.recipients.complete || this.recipients.state.list.length === 0) return;
    this.patch({ busy: true, problem: undefined });
    const { people, mails } = this.recipients;
    const { room, invite } = this.#target();
    const invitation = { room, people, mails, language, ...(invite === undefined ? {} : { invite }) };
    new MeetingsHttp(this.#http.api).invite(invitation).then(
      ({ mailed, not_mailed }) => this.patch({ busy: false, sent: { mailed, notMailed: not_mailed } }),
      (error) => this.patch({ busy: false, problem: problemFrom(error) }),
    );
  }

  again(): void {
    this.recipients.clear();
    this.patch({ sent: undefined, problem: undefined });
  }

  close(): void {
    this.recipients.close();
  }

  async #look(): Promise<void> {
    try {
      const { mail, user } = await this.#http.house();
      this.patch({ byHouse: mail && user !== undefined });
    } catch (error) {
      // A draft needs nothing of the house.
      this.patch({ byHouse: false, problem: problemFrom(error) });
    }
  }
}
