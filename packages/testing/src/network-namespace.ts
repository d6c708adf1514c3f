import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

/** A network of its own for one test: one host with loopback and one ordinary (non-loopback) address per family. */
export interface NetworkNamespace {
  readonly name: string;
  /** Put in front of a command line to run it inside. */
  readonly prefix: readonly string[];
  readonly address: string;
  readonly address6: string;
  remove(): void;
}

/** True where namespaces can be made: Linux, root, iproute2. */
export function canMakeNetworkNamespaces(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    const probe = makeNetworkNamespace();
    probe.remove();
    return true;
  } catch {
    return false;
  }
}

/** A dummy interface is enough: what a host sends to its own address never leaves it. */
export function makeNetworkNamespace(): NetworkNamespace {
  const name = `godwit-${randomBytes(3).toString('hex')}`;
  const ip = (...args: string[]): void => {
    execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  ip('netns', 'add', name);
  const address = '10.77.0.2';
  const address6 = 'fd77::2';
  try {
    ip('-n', name, 'link', 'set', 'lo', 'up');
    ip('-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1');
    ip('-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', name, 'address', 'add', `${address6}/64`, 'dev', 'eth0', 'nodad');
    ip('-n', name, 'link', 'set', 'eth1', 'up');
    ip('-n', name, 'link', 'set', 'eth0', 'up');
    ip('-n', name, 'route', 'add', 'default', 'via', '10.77.0.1');
    ip('-n', name, '-6', 'route', 'add', 'default', 'via', 'fd77::1');
  } catch (error) {
    execFileSync('ip', ['netns', 'delete', name]);
    throw error;
  }
  return {
    name,
    prefix: ['ip', 'netns', 'exec', name],
    address,
    address6,
    remove: () => {
      execFileSync('ip', ['netns', 'delete', name]);
    },
  };
}
