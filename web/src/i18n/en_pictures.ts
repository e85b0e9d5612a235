/** English: why there are fewer or smaller pictures, and how a screen is shared. */
export const enPictures = {
  'pictures.paused': 'Connection too thin for this picture',
  'pictures.thin_line': 'Your connection is thin right now. Some pictures pause, the sound goes on.',
  'pictures.busy_layers': 'Your device is busy. Your picture is sent smaller.',
  'pictures.busy_frames': 'Your device is busy. Your picture is sent with fewer frames.',
  'pictures.busy_size': 'Your device is busy. Others are shown less sharp.',
  'pictures.busy_number': 'Your device is busy. Fewer pictures are shown.',

  'sharing.on': 'Your screen is being shared',
  'sharing.mode': 'What matters',
  'sharing.text': 'Sharp text',
  'sharing.motion': 'Smooth motion',
} as const;
