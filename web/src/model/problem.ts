/** What went wrong, as the screens show it. */

import { asRefusal } from '../session/refusal.ts';
import type { Problem } from './screens.ts';

export function problemFrom(error: unknown): Problem {
  const { code, retryAfterMs, reference } = asRefusal(error);
  return {
    code,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(reference === undefined ? {} : { reference }),
  };
}
