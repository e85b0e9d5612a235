/** Deutsch: eigene Räume, Anklopfen. */
import type { Texts } from './catalogue.ts';
import type { enRooms } from './en_rooms.ts';

export const deRooms: Texts<typeof enRooms> = {
  'door.knock': 'Anklopfen',
  'door.who_members': 'Eintreten können: Mitglieder. Andere klopfen an.',
  'door.who_members_guests': 'Eintreten können: Mitglieder. Alle anderen mit dem Link klopfen an.',
  'door.knocking_title': 'Sie haben angeklopft',
  'door.knocking': 'Jemand im Raum öffnet Ihnen oder nicht. Lassen Sie diese Seite offen.',
  'door.nobody_opens_title': 'Noch niemand da, der öffnen kann',
  'door.nobody_opens': 'Sie klopfen von selbst an, sobald jemand da ist. Lassen Sie diese Seite offen.',
  'access.knock_mark': 'Andere klopfen an',

  'knock.at_door': '{name} klopft an',
  'knock.guest_at_door': '{name} (Gast) klopft an',
  'knock.more': { one: 'und {count} weitere Person', other: 'und {count} weitere Personen' },
  'knock.let_in': 'Hereinlassen',
  'knock.let_in_named': 'Hereinlassen: {name}',
  'knock.not': 'Nicht öffnen',
  'knock.not_named': 'Nicht öffnen: {name}',

  'share.who_members': 'Mit diesem Link können Mitglieder eintreten. Andere Konten klopfen an.',
  'share.who_members_guests': 'Mit diesem Link können Mitglieder eintreten. Alle anderen klopfen an, auch ohne Konto.',
  'share.who_invited_knock': 'Mit diesem Link können auch Menschen ohne Konto anklopfen, bis er abläuft.',
  'share.knock': 'Andere klopfen an',
  'share.knock_hint': 'Nur Mitglieder treten einfach ein. Wer sonst kommt, wartet, bis jemand im Raum öffnet.',

  'rooms.pinned': 'Angeheftet',
  'rooms.own': 'Eigene',
  'rooms.recent': 'Zuletzt besucht',
  'rooms.personal': 'Persönlicher Raum',
  'rooms.make_personal': 'Persönlichen Raum anlegen',
  'rooms.personal_hint': 'Trägt Ihren Namen. Andere klopfen an.',
  'rooms.menu': 'Mehr zu „{name}“',
  'rooms.pin': 'Anheften',
  'rooms.unpin': 'Nicht mehr anheften',
  'rooms.manage': 'Verwalten …',

  'room.title': '„{name}“ verwalten',
  'room.rename': 'Umbenennen',
  'room.rename_hint': 'Links mit dem alten Namen führen dann nirgends mehr hin.',
  'room.access': 'Wer eintreten kann',
  'room.members': 'Mitglieder',
  'room.members_hint': 'Treten ein, ohne anzuklopfen.',
  'room.no_members': 'Noch keine Mitglieder.',
  'room.add_member': 'Mitglied hinzufügen',
  'room.add': '{name} hinzufügen',
  'room.remove_member': '{name} entfernen',
  'room.delete': 'Raum löschen',
  'room.delete_title': '„{name}“ löschen',
  'room.delete_text': 'Einladungen gelten dann nicht mehr, geplante Besprechungen in diesem Raum werden abgesagt.',
  'room.delete_inside': {
    one: '{count} Person ist darin und muss gehen. Geplante Besprechungen werden abgesagt.',
    other: '{count} Personen sind darin und müssen gehen. Geplante Besprechungen werden abgesagt.',
  },
  'room.delete_action': 'Löschen',
};
