/**
 * How loud a microphone is, for the meter. An audio context may never start (no loudspeaker, no click yet): nothing
 * waits for it, the meter then stays at zero.
 */

import type { Clock } from './clock.ts';

const STEP_MS = 60;
/** Quieter is shown as silence, louder as full. */
const FLOOR_DB = -60;
const CEILING_DB = -12;

/** Measures until the returned function is called. */
export function measureLevel(
  newContext: () => AudioContext,
  clock: Clock,
  stream: MediaStream,
  onLevel: (level: number) => void,
): () => void {
  let context: AudioContext;
  try {
    context = newContext();
  } catch {
    return () => {};
  }
  context.resume().catch(() => {});
  const source = context.createMediaStreamSource(stream);
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let cancel = (): void => {};
  const step = (): void => {
    analyser.getFloatTimeDomainData(samples);
    onLevel(levelOf(samples));
    cancel = clock.after(STEP_MS, step);
  };
  step();
  return () => {
    cancel();
    source.disconnect();
    context.close().catch(() => {});
    onLevel(0);
  };
}

/** Root mean square on a logarithmic scale from 0 to 1. */
export function levelOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const db = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12);
  return Math.min(1, Math.max(0, (db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
}
