import type { Texts } from './catalogue.ts';
import type { enApp } from './en_app.ts';

/** Deutsch: die App als etwas, das installiert ist, neuer wird und manchmal keine Verbindung hat. */
export const deApp: Texts<typeof enApp> = {
  'shell.update': 'Neue Version bereit',
  'shell.reload': 'Neu laden',
  'shell.updating': 'Die neue Version wird geladen …',
  'shell.install': '{house} als App auf diesem Gerät: schneller geöffnet, mit eigenem Symbol.',
  'shell.install_do': 'Installieren',
  'shell.install_ios': 'Als App: auf Teilen tippen, dann auf „Zum Home-Bildschirm“.',
  'shell.install_firefox': 'Als App: das Menü des Browsers öffnen und „App zum Startbildschirm hinzufügen“ antippen.',
  'shell.not_now': 'Nicht jetzt',
  'shell.understood': 'OK',
  'offline.title': 'Keine Verbindung',
  'offline.hint': 'Sobald {house} wieder zu erreichen ist, geht es hier von selbst weiter.',
  'inside.open': 'Im Browser öffnen',
  'inside.copy': 'Link kopieren und in Safari einfügen',
  'inside.hint':
    'Diese Seite ist in einer anderen App geöffnet, die weder Kamera noch Mikrofon freigibt. Im Browser gehen beide.',

  'policy.minimum_version': 'Älteste Version der App',
  'policy.minimum_version_hint':
    'Ältere aktualisieren sich von selbst, sobald sie in keinem Anruf sind. Leer: alle sind willkommen.',
};
