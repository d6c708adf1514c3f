import type { ReplicaRecord } from '@godwit/storage';

/** The session is kept by another control: whoever asked is to be led there. */
export class KeptElsewhere extends Error {
  readonly sessionId: string;
  readonly keeper: ReplicaRecord;

  constructor(sessionId: string, keeper: ReplicaRecord) {
    super('another control keeps the session');
    this.name = 'KeptElsewhere';
    this.sessionId = sessionId;
    this.keeper = keeper;
  }
}
