/** Deutsch: Ton. */
import type { Texts } from './catalogue.ts';
import type { enSound } from './en_sound.ts';

export const deSound: Texts<typeof enSound> = {
  'devices.music': 'Musik',
  'devices.music_hint':
    'Überträgt Instrumente und Aufnahmen in Stereo, so wie sie sind. Kopfhörer tragen: Echo und Geräusche bleiben.',
};
