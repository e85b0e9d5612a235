/** English: planning meetings and inviting. */
export const enMeetings = {
  'code.time_invalid': 'No meeting can be at this time: it is over, too long or too far ahead.',
};
