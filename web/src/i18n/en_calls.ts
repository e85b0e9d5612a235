/** English: calls. */

export const enCalls = {
  'left.call_ended': 'Call ended',
  'left.room_deleted': '“{room}” is no longer there',
  'left.not_admitted': 'Not let into “{room}”',
  'left.not_admitted_hint': 'Somebody inside did not open the door.',

  'code.cannot_be_called': 'This person cannot be called.',
  'code.in_call': 'Another call is still going on.',
  'code.call_over': 'This call is over already.',
} as const;
