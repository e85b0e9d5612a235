/** What is said about camera and microphone that do not work: one text where one says it all. */

import type { Key } from '../../i18n/catalogue.ts';
import type { CaptureState, DevicesState } from '../../model/screens.ts';

export function deviceProblems({ camera, microphone }: DevicesState): Key[] {
  const [seen, heard] = [problemOf(camera), problemOf(microphone)];
  for (const whole of ['insecure', 'unsupported'] as const) {
    if (seen === whole || heard === whole) return [`devices.${whole}`];
  }
  if (seen !== undefined && seen === heard) return [`devices.both_${seen}` as Key];
  const keys: Key[] = [];
  if (seen !== undefined) keys.push(`devices.camera_${seen}` as Key);
  if (heard !== undefined) keys.push(`devices.microphone_${heard}` as Key);
  return keys;
}

/** Whether asking again can help: not where the page or the browser itself stands in the way. */
export function canTryAgain(problems: readonly Key[]): boolean {
  return problems.some((key) => key !== 'devices.insecure' && key !== 'devices.unsupported');
}

function problemOf(capture: CaptureState) {
  return capture.status === 'problem' ? capture.problem : undefined;
}
