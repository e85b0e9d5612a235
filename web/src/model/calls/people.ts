/** People of calls as screens show them. */

import type { CallPerson } from '../../protocol/generated.ts';
import { picturePath } from '../pictures.ts';
import type { Callee } from './port.ts';

export function calleeOf({ id, name, picture }: CallPerson): Callee {
  return { id, name, ...(picture ? { picture: picturePath(id, picture) } : {}) };
}
