/** Deutsch: Anrufe. */
import type { Texts } from './catalogue.ts';
import type { enCalls } from './en_calls.ts';

export const deCalls: Texts<typeof enCalls> = {
  'left.call_ended': 'Anruf beendet',
  'left.room_deleted': '„{room}“ gibt es nicht mehr',
  'left.not_admitted': 'Nicht in „{room}“ eingelassen',
  'left.not_admitted_hint': 'Jemand im Raum hat die Tür nicht geöffnet.',

  'ring.video': 'Videoanruf',
  'ring.voice': 'Anruf',
  'ring.into': 'in den Raum „{room}“',
  'ring.calls': '{name} ruft an',
  'ring.accept': 'Annehmen',
  'ring.accept_video': 'Mit Video',
  'ring.accept_voice': 'Ohne Video',
  'ring.decline': 'Ablehnen',
  'ring.ignore': 'Hier ignorieren',

  'call.title': 'Anruf: {name}',
  'call.searching': 'Wird gesucht …',
  'call.searching_for': '{name} wird gesucht …',
  'call.ringing': 'Klingelt bei {name} …',
  'call.connecting': 'Wird verbunden …',
  'call.declined': '{name} hat abgelehnt.',
  'call.busy': '{name} ist im Gespräch.',
  'call.no_answer': '{name} hat nicht abgenommen.',
  'call.not_reachable': '{name} ist nicht erreichbar.',
  'call.do_not_disturb': '{name} möchte nicht gestört werden.',
  'call.elsewhere': 'Auf einem anderen Gerät angenommen.',
  'call.over': 'Der Anruf ist zu Ende.',
  'call.not_made': 'Der Anruf kam nicht zustande.',
  'call.again': 'Nochmal anrufen',
  'call.back': 'Zurück',
  'call.ring_in': 'Person anrufen',
  'call.ring_in_short': 'Anrufen',
  'call.stop_ringing': 'Abbrechen',

  'notify.calls': 'Benachrichtigungen bei Anrufen',
  'notify.hint': 'Zeigt Anrufe an, während dieser Browser im Hintergrund ist.',
  'notify.blocked': 'Dieser Browser lässt keine Benachrichtigungen zu. Das lässt sich in seinen Einstellungen ändern.',

  'code.cannot_be_called': 'Diese Person kann nicht angerufen werden.',
  'code.in_call': 'Ein anderer Anruf läuft noch.',
  'code.call_over': 'Dieser Anruf ist schon zu Ende.',
};
