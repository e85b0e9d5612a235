/** Pages for accounts only. Their models are loaded when somebody goes there: most people never do. */

import type { House, User } from '../protocol/generated.ts';
import type { Http } from '../session/http.ts';
import type { Route } from './address.ts';
import type { Browser } from './browser.ts';
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
