// How: children are objects that the test ends by hand; waiting is a list of promises that the test settles.
import { beforeEach, describe, expect, it } from 'vitest';
import { CONFIGURATION_EXIT_CODE } from '../errors.js';
import type { Child, ChildEnd, ChildOptions } from './child.js';
import { ChildCannotRunError, Supervisor } from './supervisor.js';

class FakeChild implements Child {
  readonly ended: Promise<ChildEnd>;
  readonly options: ChildOptions;
  end!: (end: ChildEnd) => void;
  stopsWhenAsked = true;
  killed = false;

  constructor(options: ChildOptions) {
    this.options = options;
    this.ended = new Promise((resolve) => (this.end = resolve));
  }
  stop(): void {
    if (this.stopsWhenAsked) this.end({ code: 0 });
  }
  kill(): void {
    this.killed = true;
    this.end({ signal: 'SIGKILL' });
  }
}

const spec = { name: 'node 1', commandLine: ['main.js', 'node'], env: {} };
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the supervisor', () => {
  let children: FakeChild[];
  let said: string[];
  let waits: { ms: number; elapse: () => void }[];
  let supervisor: Supervisor;

  beforeEach(() => {
    children = [];
    said = [];
    waits = [];
    supervisor = new Supervisor({
      start: (options) => {
        const child = new FakeChild(options);
        children.push(child);
        return child;
      },
      say: (line) => said.push(line),
      now: () => 0,
      wait: (ms, signal) =>
        new Promise((resolve) => {
          waits.push({ ms, elapse: resolve });
          signal.addEventListener('abort', () => resolve());
        }),
    });
  });

  it('resolves to the URL of the child that is ready', async () => {
    const url = supervisor.keep(spec);
    children[0]!.options.onReady('http://127.0.0.1:1');
    await expect(url).resolves.toBe('http://127.0.0.1:1');
  });

  it('says that a child died and starts it again after the wait', async () => {
    void supervisor.keep(spec);
    children[0]!.options.onReady('http://127.0.0.1:1');
    children[0]!.end({ signal: 'SIGKILL' });
    await settle();
    expect(said.at(-1)).toMatch(/node 1 died unexpectedly \(SIGKILL\); starting it again in \d+ ms/);
    expect(children).toHaveLength(1);
    waits[0]!.elapse();
    await settle();
    expect(children).toHaveLength(2);
  });

  it('does not start a child again that was asked to stop', async () => {
    void supervisor.keep(spec).catch(() => undefined);
    children[0]!.options.onReady('http://127.0.0.1:1');
    children[0]!.end({ code: 0 });
    await settle();
    expect(said.at(-1)).toMatch(/asked to stop/);
    expect(children).toHaveLength(1);
  });

  it('gives up on a child that says its settings cannot work', async () => {
    const url = supervisor.keep(spec);
    children[0]!.end({ code: CONFIGURATION_EXIT_CODE });
    await expect(url).rejects.toBeInstanceOf(ChildCannotRunError);
    expect(children).toHaveLength(1);
  });

  it('passes on what children write, under their names', () => {
    void supervisor.keep(spec);
    children[0]!.options.onLine('hello');
    expect(said).toEqual(['[node 1] hello']);
  });

  it('ends every child, and starts none again', async () => {
    void supervisor.keep(spec).catch(() => undefined);
    void supervisor.keep({ ...spec, name: 'node 2' }).catch(() => undefined);
    await supervisor.stop();
    expect(children.map(({ killed }) => killed)).toEqual([false, false]);
    expect(said).toEqual([]);
  });

  it('kills a child that does not end in time', async () => {
    void supervisor.keep(spec).catch(() => undefined);
    children[0]!.stopsWhenAsked = false;
    const stopped = supervisor.stop();
    await settle();
    waits[0]!.elapse();
    await stopped;
    expect(children[0]!.killed).toBe(true);
  });
});
