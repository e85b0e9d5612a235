/** The system's own word on how busy it is (Compute Pressure, W3C), where the browser passes it on. */

type Pressure = 'nominal' | 'fair' | 'serious' | 'critical';

interface PressureObserverLike {
  observe(source: 'cpu', options: { sampleInterval: number }): Promise<void>;
  disconnect(): void;
}

type PressureObserverConstructor = new (
  callback: (records: readonly { readonly state: Pressure }[]) => void,
) => PressureObserverLike;

const INTERVAL_MS = 2_000;

/** Tells whether it is pressed, until the returned function is called. Where nobody knows, nobody is told. */
export function watchPressure(onChange: (pressed: boolean) => void): () => void {
  const { PressureObserver } = globalThis as { PressureObserver?: PressureObserverConstructor };
  if (!PressureObserver) return () => {};
  const observer = new PressureObserver((records) => onChange(records.at(-1)?.state === 'critical'));
  // A policy of the page or the system may forbid it.
  observer.observe('cpu', { sampleInterval: INTERVAL_MS }).catch(() => {});
  return () => observer.disconnect();
}
