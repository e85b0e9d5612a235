/** English: sound. */

export const enSound = {
  'devices.music': 'Music',
  'devices.music_hint':
    'Sends instruments and recordings in stereo, as they are. Wear headphones: echo and noise stay in.',
} as const;
