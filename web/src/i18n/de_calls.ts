/** Deutsch: Anrufe. */
import type { Texts } from './catalogue.ts';
import type { enCalls } from './en_calls.ts';

export const deCalls: Texts<typeof enCalls> = {
  'left.call_ended': 'Anruf beendet',
  'left.room_deleted': '„{room}“ gibt es nicht mehr',
  'left.not_admitted': 'Nicht in „{room}“ eingelassen',
  'left.not_admitted_hint': 'Jemand im Raum hat die Tür nicht geöffnet.',

  'code.cannot_be_called': 'Diese Person kann nicht angerufen werden.',
  'code.in_call': 'Ein anderer Anruf läuft noch.',
  'code.call_over': 'Dieser Anruf ist schon zu Ende.',
};
