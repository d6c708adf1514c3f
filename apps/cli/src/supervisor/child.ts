import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { isReadyMessage, type StopMessage } from './messages.js';

export interface ChildOptions {
  /** Script and its arguments. Never secrets: those travel in `env`. */
  readonly commandLine: readonly string[];
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly onLine: (line: string) => void;
  readonly onReady: (url: string) => void;
}

export type ChildEnd =
  { readonly code: number } | { readonly signal: NodeJS.Signals } | { readonly error: Error };

/** One process that was started from here and ends with us. */
export interface Child {
  /** Never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** Asks it to end at once, without moving calls away. */
  stop(): void;
  kill(): void;
}

/** A core dump would put keys on the disk (HANDOVER 4), and Node cannot lower its own limit: a shell does, and is replaced. */
const WITHOUT_CORE_DUMPS = ['/bin/sh', '-c', 'ulimit -c 0; exec "$0" "$@"'] as const;

/**
 * Starts a Node process in a process group of its own, so that Ctrl-C reaches it only through us and in order.
 * If we die, its IPC channel closes, and it ends by itself.
 */
export function startChild(options: ChildOptions): Child {
  const [shell, ...script] = WITHOUT_CORE_DUMPS;
  const child = spawn(shell, [...script, process.execPath, ...options.commandLine], {
    env: { ...options.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  forwardLines(child.stdout, options.onLine);
  forwardLines(child.stderr, options.onLine);
  child.on('message', (message) => {
    // The line that the child printed before it waits in another pipe: let it be shown first.
    if (isReadyMessage(message)) setImmediate(() => options.onReady(message.url));
  });
  const ended = new Promise<ChildEnd>((resolve) => {
    child.once('error', (error) => resolve({ error }));
    child.once('close', (code, signal) => resolve(signal === null ? { code: code ?? 1 } : { signal }));
  });
  return {
    ended,
    stop: () => {
      const message: StopMessage = { type: 'stop' };
      // A channel that has closed already means that the child is ending.
      if (child.connected) child.send(message, () => undefined);
    },
    kill: () => child.kill('SIGKILL'),
  };
}

function forwardLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream === null) return;
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
}
