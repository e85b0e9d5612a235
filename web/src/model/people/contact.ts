/** Somebody as the server tells of them, as somebody on the screen. Pure. */

import type { CallPerson, Person } from '../../protocol/generated.ts';
import { personPath } from '../address.ts';
import type { Callee } from '../calls/port.ts';
import { picturePath } from '../pictures.ts';
import type { Contact } from './screens.ts';

export function calleeOf({ id, name, picture }: CallPerson): Callee & { readonly path: string } {
  return { id, name, path: personPath(id), ...(picture ? { picture: picturePath(id, picture) } : {}) };
}

export function contactOf(person: Person): Contact {
  const { favourite, mail, username } = person;
  return { ...calleeOf(person), username, favourite, ...(mail ? { mail } : {}) };
}
