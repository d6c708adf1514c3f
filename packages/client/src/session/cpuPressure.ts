/** How busy the computer is (W3C Compute Pressure). */
export type CpuPerformanceState = 'nominal' | 'fair' | 'serious' | 'critical';

interface PressureRecord {
  readonly state: CpuPerformanceState;
}
interface Pressure {
  observe(source: 'cpu'): Promise<void>;
  disconnect(): void;
}
type PressureConstructor = new (changed: (records: readonly PressureRecord[]) => void) => Pressure;

/** Tells of each change until `close`; nothing where the browser, or the page's policy, does not tell. */
export class CpuPressure {
  readonly #pressure: Pressure | undefined;

  constructor(changed: (state: CpuPerformanceState) => void) {
    const { PressureObserver } = globalThis as { PressureObserver?: PressureConstructor };
    if (PressureObserver === undefined) return;
    let known: CpuPerformanceState | undefined;
    this.#pressure = new PressureObserver((records) => {
      const state = records.at(-1)?.state;
      if (state === undefined || state === known) return;
      known = state;
      changed(state);
    });
    this.#pressure.observe('cpu').catch(() => undefined);
  }

  close(): void {
    this.#pressure?.disconnect();
  }
}
