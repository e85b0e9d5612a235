/** Pages for accounts only. Their models are loaded when somebody goes there: most people never do. */

import type { House, User } from '../protocol/generated.ts';
import { ConnectionsHttp } from '../session/connections.ts';
import type { Http } from '../session/http.ts';
import type { Route } from './address.ts';
import type { Browser } from './browser.ts';
import { lastOwn } from './connection/lines.ts';
import type { StayLine } from './connection/screens.ts';
import type { Page } from './screens.ts';

export interface OwnPagePorts {
  readonly browser: Browser;
  readonly http: Http;
  navigate(path: string): void;
  signedOut(): void;
  /** Name, picture, logo or settings are different now. */
  changed(): void;
}

export async function accountPage(ports: OwnPagePorts): Promise<Page & { name: 'account' }> {
  const { AccountModel } = await import('./account/account.ts');
  return { name: 'account', screen: new AccountModel(ports) };
}

export async function connectionPage(
  { http, signedOut }: OwnPagePorts,
  id: string,
): Promise<Page & { name: 'connection' }> {
  const { StayModel } = await import('./connection/stays.ts');
  return { name: 'connection', screen: new StayModel(new ConnectionsHttp(http.api), id, false, signedOut) };
}

export async function adminPage(
  { changed, ...ports }: OwnPagePorts,
  { section, id }: Extract<Route, { page: 'admin' }>,
  user: User,
  house: House,
): Promise<Page & { name: 'admin' }> {
  const { openAdmin } = await import('./admin/admin.ts');
  const admin = { ...ports, user, mail: house.recovery_mail, houseChanged: changed };
  return { name: 'admin', screen: openAdmin(admin, section, id) };
}

/** How the connection of the stay that has just ended was. */
export function lastStay(http: Http): Promise<StayLine | undefined> {
  return lastOwn(new ConnectionsHttp(http.api));
}
