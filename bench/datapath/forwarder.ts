import type { Addresses, ForwarderCommand, ForwarderMessage } from './scenario.js';

/** One way to forward, run in a process of its own. */
export interface Forwarder {
  readonly port: number;
  configure(addresses: Addresses): void;
  /** Packets sent to subscribers so far. */
  forwarded(): number;
}

/** Serves the runner's commands; CPU time is this process's alone. */
export function serveForwarder(forwarder: Forwarder): void {
  let cpu = process.cpuUsage();
  let forwardedBefore = 0;
  process.on('message', (command: ForwarderCommand) => {
    switch (command.kind) {
      case 'configure':
        forwarder.configure(command.addresses);
        return;
      case 'start':
        cpu = process.cpuUsage();
        forwardedBefore = forwarder.forwarded();
        return;
      case 'stop': {
        const used = process.cpuUsage(cpu);
        report({
          kind: 'measured',
          cpuMicros: used.user + used.system,
          forwarded: forwarder.forwarded() - forwardedBefore,
        });
        // An ordinary end, so that a profile asked for by --cpu-prof is written.
        process.exit(0);
      }
    }
  });
  report({ kind: 'ready', port: forwarder.port });
}

function report(message: ForwarderMessage): void {
  process.send?.(message);
}
