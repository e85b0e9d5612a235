/** What is shown for a push message. Pure. */

import type { CallPerson, PushMessage } from '../../protocol/generated.ts';
import type { CallNotice, MissedNotice, OverNotice } from '../notice.ts';
import { words } from './words.ts';

/** As much of the options as is used here; TypeScript's own list has no buttons. */
export interface Shown {
  readonly title: string;
  readonly options: {
    readonly tag: string;
    readonly body: string;
    readonly lang: string;
    readonly icon: string;
    readonly data: CallNotice | MissedNotice | OverNotice;
    readonly actions: readonly { readonly action: string; readonly title: string }[];
    readonly requireInteraction: boolean;
    readonly silent: boolean;
    readonly renotify?: boolean;
    readonly vibrate?: readonly number[];
  };
}

const PLAIN_ICON = '/icons/door-192.png';

/** Everything about one call replaces what was shown of it before; that of an open page, too. */
export function tagOf(call: string): string {
  return `call-${call}`;
}

export function shownFor(message: PushMessage): Shown {
  const say = words(message.language);
  const { call, language, person } = message;
  const common = { tag: tagOf(call), lang: language, icon: iconOf(person) };
  if (message.type === 'ringing') {
    const kind = say(message.video ? 'video_call' : 'call');
    const body = message.into === undefined ? kind : `${kind} · ${say('into', { room: message.into })}`;
    return {
      title: person.name,
      options: {
        ...common,
        body,
        data: { kind: 'call', call, room: message.room },
        actions: [
          { action: 'accept', title: say('accept') },
          { action: 'decline', title: say('decline') },
        ],
        requireInteraction: true,
        silent: false,
        renotify: true,
        vibrate: [400, 200, 400, 200, 400],
      },
    };
  }
  if (message.missed) {
    return {
      title: say('missed', { name: person.name }),
      options: {
        ...common,
        body: '',
        data: { kind: 'missed', person: person.id },
        actions: [{ action: 'call_back', title: say('call_back') }],
        requireInteraction: false,
        silent: true,
      },
    };
  }
  return {
    title: person.name,
    options: {
      ...common,
      body: say(message.end === 'declined' ? 'declined' : 'answered'),
      data: { kind: 'over' },
      actions: [],
      requireInteraction: false,
      silent: true,
    },
  };
}

function iconOf({ id, picture }: CallPerson): string {
  return picture === undefined
    ? PLAIN_ICON
    : `/api/v1/people/${encodeURIComponent(id)}/picture?v=${encodeURIComponent(picture)}`;
}

/** `undefined`: from a server that says more than this worker knows. */
export function readMessage(text: string | undefined): PushMessage | undefined {
  try {
    const message = JSON.parse(text ?? '') as Partial<PushMessage> | null;
    const known = message?.type === 'ringing' || message?.type === 'over';
    return known && message.person && message.call ? (message as PushMessage) : undefined;
  } catch {
    return undefined;
  }
}
