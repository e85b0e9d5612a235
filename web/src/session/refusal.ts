/** Why something did not work, as an error that promises reject with: a code of the server's, or `offline`. */

import type { ErrorCode } from '../protocol/generated.ts';

export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: ErrorCode | 'offline',
    readonly retryAfterMs?: number | undefined,
    readonly reference?: string | undefined,
  ) {
    super(code);
  }
}

/** Whatever was thrown, as a refusal: a fault of ours counts as `internal`. */
export function asRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal('internal');
}
