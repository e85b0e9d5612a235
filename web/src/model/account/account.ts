/** One's own account: the page as a whole, which knows the account, and its parts, which change it. */

import type { Account } from '../../protocol/generated.ts';
import { AccountHttp, EXPORT_PATH } from '../../session/account.ts';
import type { Http } from '../../session/http.ts';
import type { Browser } from '../browser.ts';
import { ListModel } from '../list.ts';
import { picturePath } from '../pictures.ts';
import { type SignedOut, Work } from '../work.ts';
import { PasskeysModel } from './passkeys.ts';
import { PasswordModel, ProfileModel } from './profile.ts';
import type { AccountScreen, AccountState, Application, SessionsScreen } from './screens.ts';
import { OwnSessionsModel } from './sessions.ts';
import { TotpModel } from './totp.ts';

export interface AccountPorts {
  readonly browser: Browser;
  readonly http: Http;
  readonly signedOut: SignedOut;
  /** Name or picture are different now: they stand on other pages too. */
  changed(): void;
}

/** What the parts of the page share. */
export interface Parts {
  readonly browser: Browser;
  readonly http: AccountHttp;
  readonly signedOut: SignedOut;
  account(): Account | undefined;
  /** Reads the account anew. */
  refresh(): Promise<void>;
  changed(): void;
}

export class AccountModel extends Work<AccountState> implements AccountScreen {
  readonly profile: ProfileModel;
  readonly password: PasswordModel;
  readonly passkeys: PasskeysModel;
  readonly totp: TotpModel;
  readonly sessions: SessionsScreen;
  readonly applications: ListModel<Application>;
  readonly exportPath = EXPORT_PATH;
  readonly #http: AccountHttp;

  constructor({ browser, http, signedOut, changed }: AccountPorts) {
    super({ busy: false }, signedOut);
    this.#http = new AccountHttp(http.api);
    const parts: Parts = {
      browser,
      http: this.#http,
      signedOut,
      changed,
      account: () => this.state.account,
      refresh: () => this.#refresh(),
    };
    this.profile = new ProfileModel(parts);
    this.password = new PasswordModel(parts);
    this.passkeys = new PasskeysModel(parts);
    this.totp = new TotpModel(parts);
    this.sessions = new OwnSessionsModel(parts);
    this.applications = new ListModel<Application>(
      {
        load: async () => (await this.#http.applications()).applications,
        remove: (id) => this.#http.removeApplication(id),
      },
      signedOut,
    );
    this.retry();
  }

  retry(): void {
    void this.#refresh();
  }

  close(): void {
    this.profile.close();
    this.password.close();
  }

  async #refresh(): Promise<void> {
    const account = await this.guard(() => this.#http.account());
    if (!account) return;
    const { id, picture } = account;
    this.patch({ account, problem: undefined, picture: picture ? picturePath(id, picture) : undefined });
  }
}
