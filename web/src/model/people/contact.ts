/** Somebody as the server tells of them, as somebody on the screen. Pure. */

import type { CallPerson, Person } from '../../protocol/generated.ts';
import { personPath } from '../address.ts';
import { calleeOf } from '../calls/people.ts';
import type { Callee } from '../calls/port.ts';
import type { Contact } from './screens.ts';

/** With the way to their page. */
export function linkedOf(person: CallPerson): Callee & { readonly path: string } {
  return { ...calleeOf(person), path: personPath(person.id) };
}

export function contactOf(person: Person): Contact {
  const { favourite, mail, username } = person;
  return { ...linkedOf(person), username, favourite, ...(mail ? { mail } : {}) };
}
