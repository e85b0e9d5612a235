/**
 * Clicks on notifications. A call is declined over HTTP, so that no page is needed; accepted in an open window if there is
 * one, and in a new one otherwise.
 */

import { noteAccepted } from '../accepted.ts';
import type { CallNotice, MissedNotice, NoticeAction, NoticeClicked, PageNotice } from '../notice.ts';

/** What is shown by nobody of ours is left alone. */
const KINDS: ReadonlySet<unknown> = new Set(['call', 'page', 'missed', 'over']);

export function answerClicks(scope: ServiceWorkerGlobalScope): void {
  scope.addEventListener('notificationclick', (event) => {
    const { data, tag }: { data: unknown; tag: string } = event.notification;
    const action = actionOf(event.action);
    if (!KINDS.has(kindOf(data))) return;
    event.notification.close();
    if (isCall(data)) event.waitUntil(callClicked(scope, tag, data, action));
    else if (isPage(data)) event.waitUntil(show(scope, data.path, { type: 'notice_clicked', tag, action }));
    else if (isMissed(data)) event.waitUntil(lead(scope, `/people/${encodeURIComponent(data.person)}`));
  });
}

async function callClicked(scope: ServiceWorkerGlobalScope, tag: string, notice: CallNotice, action: NoticeAction) {
  const { call, room } = notice;
  if (action === 'decline') {
    // Where nobody is reached it rings to its end, as if nobody had clicked.
    await scope.fetch(`/api/v1/calls/${encodeURIComponent(call)}/decline`, { method: 'POST' }).catch(() => {});
    return;
  }
  const path = `/call/${encodeURIComponent(room)}${action === 'accept' ? '#accept' : ''}`;
  await show(scope, path, { type: 'notice_clicked', tag, call, action });
}

/** In the window that is there, which knows what to do; otherwise in a new one. */
async function show(scope: ServiceWorkerGlobalScope, path: string, message: NoticeClicked) {
  const windows = await scope.clients.matchAll({ type: 'window' });
  const open = windows.find((one) => one.visibilityState === 'visible') ?? windows[0];
  if (!open) {
    // Where it cannot be noted, it rings in the window.
    if (message.action === 'accept' && message.call) await noteAccepted(scope.caches, message.call).catch(() => {});
    await scope.clients.openWindow(path);
    return;
  }
  open.postMessage(message);
  // Refused by browsers that do not count this as a click.
  await open.focus().catch(() => {});
}

/** For what no page knows of: in a window in which nobody can be talking, otherwise in a new one. */
async function lead(scope: ServiceWorkerGlobalScope, path: string) {
  const windows = await scope.clients.matchAll({ type: 'window' });
  const idle = windows.find(({ url }) => !/^\/(?:r|call)\//.test(new URL(url).pathname));
  const there = await idle?.navigate(path).catch(() => null);
  if (there) await there.focus().catch(() => {});
  else await scope.clients.openWindow(path);
}

function actionOf(action: string): NoticeAction {
  return action === 'accept' || action === 'decline' ? action : 'open';
}

function isCall(data: unknown): data is CallNotice {
  return kindOf(data) === 'call';
}

function isPage(data: unknown): data is PageNotice {
  return kindOf(data) === 'page';
}

function isMissed(data: unknown): data is MissedNotice {
  return kindOf(data) === 'missed';
}

function kindOf(data: unknown): unknown {
  return typeof data === 'object' && data !== null && 'kind' in data ? data.kind : undefined;
}
