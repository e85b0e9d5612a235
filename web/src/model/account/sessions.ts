/** Where this account is signed in. */

import type { AccountHttp } from '../../session/account.ts';
import { ListModel } from '../list.ts';
import type { Parts } from './account.ts';
import type { Session, SessionsScreen } from './screens.ts';

export class OwnSessionsModel extends ListModel<Session> implements SessionsScreen {
  readonly #http: AccountHttp;

  constructor({ http, signedOut }: Parts) {
    super({ load: async () => (await http.sessions()).sessions, remove: (id) => http.endSession(id) }, signedOut);
    this.#http = http;
  }

  endOthers(): void {
    void this.apply(() => this.#http.endOtherSessions());
  }
}
