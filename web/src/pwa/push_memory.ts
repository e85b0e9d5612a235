/** What a page leaves for the worker, which sees no local storage: whose browser this is when it has to subscribe anew. */

import type { BrowserId, Language } from '../protocol/generated.ts';

export const PUSH_STORE = 'stube-push';
const PLACE = '/push';

export interface Remembered {
  readonly browser: BrowserId;
  readonly language: Language;
}

export async function remembered(store: Cache): Promise<Remembered | undefined> {
  const kept = await store.match(PLACE);
  return kept && ((await kept.json()) as Remembered);
}

export async function remember(store: Cache, what: Remembered): Promise<void> {
  await store.put(PLACE, new Response(JSON.stringify(what)));
}
