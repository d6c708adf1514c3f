/** What this node is to one transport. */
export type Role =
  /** Encrypts and decrypts. */
  | { readonly name: 'owner'; readonly epoch: number }
  /** Prepared to take over; holds the path once the client comes, relays to the owner. */
  | { readonly name: 'target'; readonly epoch: number; readonly sourceNodeId: string }
  /** Was owner or target: sends on what still arrives, until the time is over. */
  | {
      readonly name: 'relay';
      readonly epoch: number;
      readonly ownerNodeId: string;
      /** A former owner answers checks on the client's old pairs; a target that was given up lets them die. */
      readonly answersChecks: boolean;
      readonly untilMs: number;
    };
