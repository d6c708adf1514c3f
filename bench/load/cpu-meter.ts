import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const SAMPLE_MS = 200;
/** Everything on the machine, our processes included. */
const MACHINE = 'machine';

interface Sample {
  readonly atMs: number;
  readonly cpuMs: number;
}

/** CPU time of processes (Linux), sampled so that a process that has ended can still be told about. */
export class CpuMeter {
  readonly #samples = new Map<string, Sample[]>();
  readonly #pids = new Map<string, number>();
  readonly #clockTicksMs = 1_000 / Number(execFileSync('getconf', ['CLK_TCK']).toString());
  readonly #clockMs: () => number;
  readonly #timer: NodeJS.Timeout;

  /** `processes`: names to process ids. */
  constructor(clockMs: () => number, processes: Readonly<Record<string, number>>) {
    this.#clockMs = clockMs;
    this.#samples.set(MACHINE, []);
    for (const [name, pid] of Object.entries(processes)) this.add(name, pid);
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
    this.#sample();
  }

  add(name: string, pid: number): void {
    this.#pids.set(name, pid);
    this.#samples.set(name, []);
  }

  /**
   * Share of one core by name between two times, 0 to 1 a core. `others` is what runs on the machine besides: where it is
   * much, the figures are the machine's, not ours.
   */
  shares(fromMs: number, toMs: number): Record<string, number> {
    this.#sample();
    const shares = this.#shares(fromMs, toMs);
    const { [MACHINE]: machine = 0, ...ours } = shares;
    const used = Object.values(ours).reduce((sum, share) => sum + share, 0);
    return { ...ours, others: Math.max(0, machine - used) };
  }

  #shares(fromMs: number, toMs: number): Record<string, number> {
    return Object.fromEntries(
      Array.from(this.#samples, ([name, samples]) => {
        const first = samples.findLast(({ atMs }) => atMs <= fromMs) ?? samples[0];
        const last = samples.find(({ atMs }) => atMs >= toMs) ?? samples.at(-1);
        if (first === undefined || last === undefined || last.atMs <= first.atMs) return [name, 0];
        return [name, (last.cpuMs - first.cpuMs) / (last.atMs - first.atMs)];
      }),
    );
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    this.#samples.get(MACHINE)?.push({ atMs: this.#clockMs(), cpuMs: this.#readMachine() });
    for (const [name, pid] of this.#pids) {
      const cpuMs = this.#read(pid);
      if (cpuMs !== null) this.#samples.get(name)?.push({ atMs: this.#clockMs(), cpuMs });
    }
  }

  /** Busy time of all cores (proc(5): all of the first line but idle, iowait and what guests used, counted already). */
  #readMachine(): number {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/\s+/).slice(1).map(Number);
    return (user + nice + system + irq + softirq) * this.#clockTicksMs;
  }

  /** User and system time of all threads (proc(5): fields 14 and 15); null when the process has ended. */
  #read(pid: number): number | null {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * this.#clockTicksMs;
    } catch {
      return null;
    }
  }
}
