import type { ReplicaRecord } from './records.js';

/** This process among the controls of its database. */
export interface Membership {
  readonly replicaId: string;
  /** No other control can have the database. */
  readonly isAlone: boolean;
  /** Every control that counts as alive, this one among them; as of the last look. */
  replicas(): readonly ReplicaRecord[];
  /** One of them at a time: the only one to do what is to be done once. */
  isLeader(): boolean;
  /** False while others may have taken this one for dead: it must not write then. */
  isSure(): boolean;
  /** Tells the others where it listens. */
  announce(url: string): Promise<void>;
  /** Others keep its sessions from here on; `replicas` are those that were there. Idempotent. */
  leave(): Promise<void>;
}

/** The only control of its database. */
export function aloneAs(replicaId: string, startedAtMs: number): Membership {
  let url: string | null = null;
  return {
    replicaId,
    isAlone: true,
    replicas: () => [{ replicaId, url, startedAtMs }],
    isLeader: () => true,
    isSure: () => true,
    announce: (announced) => {
      url = announced;
      return Promise.resolve();
    },
    leave: () => Promise.resolve(),
  };
}
