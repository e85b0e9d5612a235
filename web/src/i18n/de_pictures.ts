/** Deutsch: warum Bilder fehlen oder kleiner sind, und wie ein Bildschirm geteilt wird. */
import type { Texts } from './catalogue.ts';
import type { enPictures } from './en_pictures.ts';

export const dePictures: Texts<typeof enPictures> = {
  'pictures.paused': 'Ihre Leitung ist für dieses Bild zu dünn',
  'pictures.why': 'Warum?',
  'pictures.thin_line': 'Ihre Leitung ist gerade dünn. Einige Bilder pausieren, der Ton läuft weiter.',
  'pictures.bad_line': 'Ihre Verbindung ist gerade schlecht. Ton und Bild können stocken.',
  'pictures.busy_layers': 'Ihr Gerät ist ausgelastet. Ihr Bild wird kleiner gesendet.',
  'pictures.busy_frames': 'Ihr Gerät ist ausgelastet. Ihr Bild wird mit weniger Einzelbildern gesendet.',
  'pictures.busy_size': 'Ihr Gerät ist ausgelastet. Andere erscheinen weniger scharf.',
  'pictures.busy_number': 'Ihr Gerät ist ausgelastet. Es sind weniger Bilder zu sehen.',

  'sharing.on': 'Ihr Bildschirm wird geteilt',
  'sharing.stop': 'Beenden',
  'sharing.mode': 'Worauf es ankommt',
  'sharing.text': 'Scharfer Text',
  'sharing.motion': 'Flüssige Bewegung',
};
