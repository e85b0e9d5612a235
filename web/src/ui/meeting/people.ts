/** Who came and who went between two lists of people; oneself is no news. */

import type { Person } from '../../model/screens.ts';

export function newcomersAndLeavers(
  before: readonly Person[],
  now: readonly Person[],
): { came: string[]; went: string[] } {
  return { came: missingIn(before, now), went: missingIn(now, before) };
}

function missingIn(list: readonly Person[], others: readonly Person[]): string[] {
  const ids = new Set(list.map((person) => person.id));
  return others.filter((person) => !person.you && !ids.has(person.id)).map((person) => person.name);
}
