/**
 * What the worker leaves for the page that it opens: which call was accepted by a click on its notification. The address of
 * that page is known to whoever calls, so by itself it accepts nothing.
 */

const STORE = 'stube-accepted';
const PLACE = '/accepted';

export async function noteAccepted(caches: CacheStorage, call: string): Promise<void> {
  const store = await caches.open(STORE);
  await store.put(PLACE, new Response(call));
}

/** Whether it was this call; once. */
export async function takeAccepted(caches: CacheStorage, call: string): Promise<boolean> {
  const store = await caches.open(STORE);
  const noted = await store.match(PLACE);
  await store.delete(PLACE);
  return (await noted?.text()) === call;
}
