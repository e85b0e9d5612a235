/** English: what is wrong with the connection of a meeting. */

export const enNetwork = {
  'meeting.restarting': 'The server is restarting. You will be back in a moment.',
  'meeting.obstructed': 'This network lets no sound and no pictures through. Try another one, or ask whoever runs it.',
} as const;
