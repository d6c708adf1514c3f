import type { RosterStorage, Storage } from '../storage.js';
import { callbackBoundsContract } from './callback-bounds.js';
import { callbackContract } from './callbacks.js';
import type { ContractRunner } from './fixtures.js';
import { jobContract } from './jobs.js';
import { migrationContract } from './migrations.js';
import { outcomeContract } from './outcomes.js';
import { ownershipContract } from './ownership.js';
import { plannedEndContract } from './planned-ends.js';
import { projectContract } from './projects.js';
import { replicaContract } from './replicas.js';
import { retentionContract } from './retention.js';
import { connectionsContract } from './roster.js';

export type { ContractRunner } from './fixtures.js';

/** The contract of the roster's half of the port: every implementation passes it on an empty database. */
export function rosterContract(runner: ContractRunner, open: () => RosterStorage): void {
  ownershipContract(runner, open);
  outcomeContract(runner, open);
  connectionsContract(runner, open);
  migrationContract(runner, open);
  retentionContract(runner, open);
  replicaContract(runner, open);
}

/** The contract of the whole port: every database passes it, empty at first. */
export function storageContract(runner: ContractRunner, open: () => Storage): void {
  rosterContract(runner, open);
  projectContract(runner, open);
  jobContract(runner, open);
  callbackContract(runner, open);
  callbackBoundsContract(runner, open);
  plannedEndContract(runner, open);
}
