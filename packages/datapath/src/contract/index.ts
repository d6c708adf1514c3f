import { describe } from 'vitest';
import { describeAddresses } from './addresses.js';
import { describeEgress } from './egress.js';
import { describeForwarding } from './forwarding.js';
import type { DatapathHarness } from './harness.js';
import { describeMoving } from './moving.js';
import { describeOwnership } from './ownership.js';
import { describePaths } from './paths.js';
import { describeRecovery } from './recovery.js';
import { describeRelays } from './relays.js';

export * from './fake-client.js';
export * from './harness.js';

/** What every datapath must do, over real UDP sockets on loopback. Call it from a vitest file. */
export function datapathContract(name: string, harness: DatapathHarness): void {
  describe(`${name} keeps the datapath contract`, () => {
    describeForwarding(harness);
    describeEgress(harness);
    describePaths(harness);
    describeAddresses(harness);
    describeRecovery(harness);
    describeRelays(harness);
    describeOwnership(harness);
    describeMoving(harness);
  });
}
