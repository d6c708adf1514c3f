import type { IceCredentials, PathMethod, SequencedEvent } from '@godwit/protocol';

/** An address that a client may check. */
export interface ToldAddress {
  readonly address: string;
  readonly port: number;
  readonly priority: number;
}

/** What a client of the simulation asks control: the signalling without its tokens and its SDP. */
export type ClientRequest =
  | {
      readonly type: 'join';
      readonly pathMethod: PathMethod;
      readonly ice: IceCredentials;
      readonly fingerprint: string;
      /** SSRC under which it publishes one stream; null: it only receives. */
      readonly publishSsrc: number | null;
    }
  | {
      readonly type: 'resume';
      readonly connectionId: string;
      readonly resumeToken: string;
      readonly lastSeq: number;
    }
  | { readonly type: 'subscribe'; readonly streamId: string }
  | { readonly type: 'unsubscribe'; readonly streamId: string }
  | { readonly type: 'restartAnswer'; readonly restartId: string; readonly sdp: string }
  | { readonly type: 'requestRestart' }
  | { readonly type: 'leave' };

export interface Joined {
  readonly answer: 'joined';
  readonly connectionId: string;
  readonly resumeToken: string;
  readonly transportId: string;
  readonly ice: IceCredentials;
  readonly addresses: readonly ToldAddress[];
  readonly streamId: string | null;
  readonly streams: readonly string[];
  readonly seq: number;
}

export type ControlMessage =
  | Joined
  | { readonly answer: 'refused' }
  | { readonly answer: 'resumed'; readonly streams: readonly string[]; readonly isWhole: boolean }
  | { readonly answer: 'subscribed'; readonly streamId: string; readonly ssrc: number }
  | SequencedEvent;
