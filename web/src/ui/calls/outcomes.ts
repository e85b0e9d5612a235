/** How a call ended, in few words. */

import type { CallOutcome } from '../../model/calls/screens.ts';
import { t } from '../language.svelte.ts';

export function outcomeWords(outcome: CallOutcome, name: string): string {
  switch (outcome) {
    case 'declined':
      return t('call.declined', { name });
    case 'busy':
      return t('call.busy', { name });
    case 'no_answer':
      return t('call.no_answer', { name });
    case 'not_reachable':
      return t('call.not_reachable', { name });
    case 'do_not_disturb':
      return t('call.do_not_disturb', { name });
    case 'answered_elsewhere':
      return t('call.elsewhere');
    case 'answered':
    case 'cancelled':
    case 'ignored':
    case 'over':
      return t('call.over');
  }
}
