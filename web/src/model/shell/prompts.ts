/** What may be asked now, unasked: at most one thing, of accounts only, and never where it disturbs. Pure. */

import type { Page } from '../screens.ts';
import type { Prompt } from './screens.ts';

export interface Situation {
  readonly page: Page['name'];
  readonly account: boolean;
  /** Rings, is in a meeting, or on the way in. */
  readonly busy: boolean;
  /** Something but an update was answered already since this page was loaded. */
  readonly answered: boolean;
  readonly wanted: ReadonlySet<Prompt>;
}

const ORDER: readonly Prompt[] = ['update', 'install', 'push'];
/** Who stands here is on the way to somewhere. */
const PASSING: ReadonlySet<Page['name']> = new Set([
  'loading',
  'setup',
  'sign_in',
  'account_link',
  'forgotten',
  'door',
  'meeting',
]);

export function promptFor({ page, account, busy, answered, wanted }: Situation): Prompt | undefined {
  if (!account || busy || PASSING.has(page)) return undefined;
  const next = ORDER.find((prompt) => wanted.has(prompt));
  if (next === 'update') return next;
  return page === 'home' && !answered ? next : undefined;
}

/** Whether `build` (`0.1.0-5f2c9a41`) is of an older version than `minimum` (`0.2.0`). What cannot be read is not. */
export function isBelow(build: string, minimum: string | undefined): boolean {
  const [own, least] = [numbers(build), numbers(minimum ?? '')];
  if (!own || !least) return false;
  const at = own.findIndex((number, index) => number !== least[index]);
  return at >= 0 && (own[at] ?? 0) < (least[at] ?? 0);
}

function numbers(version: string): number[] | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)(?:-|$)/.exec(version);
  return match?.slice(1).map(Number);
}

/** Opens this address in the browser instead of in the app around the page; Android reads the last `#` as its own. */
export function intentAddress(address: string): string {
  const url = new URL(address);
  const rest = address.slice(url.protocol.length);
  return `intent:${rest}#Intent;scheme=${url.protocol.slice(0, -1)};action=android.intent.action.VIEW;end`;
}
