import { parseNodeSettings, startNode, type NodeProcess } from '@godwit/node';
import { CliError } from '../errors.js';
import { endAfter, sayReady, untilAskedToStop } from '../lifetime.js';
import { DRAIN_GRACE_MS } from '../limits.js';

/** Runs one media node until it is asked to stop. Settings come from the environment. */
export async function node(): Promise<void> {
  const asked = untilAskedToStop();
  const running = await startNode(parseNodeSettings(process.env));
  void announce(running);
  const refused = running.refused.then(() => 'refused' as const);
  const reason = await Promise.race([asked, refused]);
  switch (reason) {
    case 'refused':
      throw new CliError(
        'configuration',
        'control refused this node. Check that GODWIT_JOIN_KEY is the one of control.',
      );
    case 'everything':
      // The whole machine's platform ends: there is nowhere to move calls to, and the system closes the sockets.
      process.exit(0);
    case 'drain':
      await endAfter(() => running.stop(), DRAIN_GRACE_MS);
  }
}

async function announce(running: NodeProcess): Promise<void> {
  const nodeId = await running.registered;
  console.log(`node ${nodeId} is up; operations on ${running.opsUrl}`);
  sayReady(running.opsUrl);
}
