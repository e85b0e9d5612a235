/** One's own account over HTTP: `/api/v1/account`. Every failure is a `Refusal`. */

import type {
  Account,
  AddPasskey,
  Applications,
  BackupCodes,
  ChangeAccount,
  ChangePassword,
  Passkey,
  PasskeyChallenge,
  Sessions,
  TotpSecret,
} from '../protocol/generated.ts';
import type { Api } from './api.ts';

const UPLOAD_MS = 60_000;

export const EXPORT_PATH = '/api/v1/account/export';

export class AccountHttp {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  account(): Promise<Account> {
    return this.#api.json('GET', '/account');
  }

  change(change: ChangeAccount): Promise<Account> {
    return this.#api.json('PATCH', '/account', change);
  }

  setPicture(picture: Blob): Promise<true> {
    return this.#api.sendFile('PUT', '/account/picture', { type: picture.type, data: picture }, UPLOAD_MS);
  }

  removePicture(): Promise<true> {
    return this.#api.done('DELETE', '/account/picture');
  }

  changePassword(change: ChangePassword): Promise<true> {
    return this.#api.done('POST', '/account/password', change);
  }

  startTotp(password: string): Promise<TotpSecret> {
    return this.#api.json('POST', '/account/totp', { password });
  }

  confirmTotp(code: string): Promise<BackupCodes> {
    return this.#api.json('POST', '/account/totp/confirm', { code });
  }

  removeTotp(password: string): Promise<true> {
    return this.#api.done('POST', '/account/totp/remove', { password });
  }

  startPasskey(password: string): Promise<PasskeyChallenge> {
    return this.#api.json('POST', '/account/passkeys/start', { password });
  }

  addPasskey(passkey: AddPasskey): Promise<Passkey> {
    return this.#api.json('POST', '/account/passkeys/finish', passkey);
  }

  removePasskey(id: string, password: string): Promise<true> {
    return this.#api.done('DELETE', `/account/passkeys/${encodeURIComponent(id)}`, { password });
  }

  sessions(): Promise<Sessions> {
    return this.#api.json('GET', '/account/sessions');
  }

  endSession(id: string): Promise<true> {
    return this.#api.done('DELETE', `/account/sessions/${encodeURIComponent(id)}`);
  }

  endOtherSessions(): Promise<true> {
    return this.#api.done('DELETE', '/account/sessions');
  }

  applications(): Promise<Applications> {
    return this.#api.json('GET', '/account/applications');
  }

  removeApplication(id: string): Promise<true> {
    return this.#api.done('DELETE', `/account/applications/${encodeURIComponent(id)}`);
  }
}
