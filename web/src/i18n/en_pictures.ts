/** English: why there are fewer or smaller pictures, and how a screen is shared. */
export const enPictures = {
  'pictures.paused': 'Your connection is too thin for this picture',
  'pictures.why': 'Why?',
  'pictures.thin_line': 'Your connection is thin right now. Some pictures pause, the sound goes on.',
  'pictures.bad_line': 'Your connection is bad right now. Sound and pictures may falter.',
  'pictures.busy_layers': 'Your device is busy. Your picture is sent smaller.',
  'pictures.busy_frames': 'Your device is busy. Your picture is sent with fewer frames.',
  'pictures.busy_size': 'Your device is busy. Others are shown less sharp.',
  'pictures.busy_number': 'Your device is busy. Fewer pictures are shown.',

  'sharing.on': 'Your screen is being shared',
  'sharing.stop': 'Stop',
  'sharing.mode': 'What matters',
  'sharing.text': 'Sharp text',
  'sharing.motion': 'Smooth motion',
} as const;
