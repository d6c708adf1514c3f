import {
  SIGNALLING_REPLAY_EVENTS_MAX,
  type SequencedEvent,
  type SignallingEvent,
  type SignallingReply,
} from '@godwit/protocol';

/** A client's socket, as the roster sees it. */
export interface ClientSocket {
  send(message: SequencedEvent | SignallingReply): void;
  /** Ends the socket; the client may resume unless `final`. */
  close(reason: string, final: boolean): void;
}

/** Numbered events towards one client; kept for a while so that a resumed socket misses none. */
export class ClientChannel {
  #seq: number;
  #events: SequencedEvent[] = [];
  #socket: ClientSocket | null = null;

  constructor(seq = 0) {
    this.#seq = seq;
  }

  /** `seq` of the newest event. */
  get seq(): number {
    return this.#seq;
  }
  /** Events kept for a resume. */
  get kept(): number {
    return this.#events.length;
  }
  get attached(): boolean {
    return this.#socket !== null;
  }

  push(event: SignallingEvent): void {
    this.#seq += 1;
    const sequenced: SequencedEvent = { ...event, seq: this.#seq };
    this.#events.push(sequenced);
    if (this.#events.length > SIGNALLING_REPLAY_EVENTS_MAX) this.#events.shift();
    this.#socket?.send(sequenced);
  }

  /** True when every event after `lastSeq` is still here. */
  canReplay(lastSeq: number): boolean {
    const oldest = this.#events[0]?.seq ?? this.#seq + 1;
    return lastSeq <= this.#seq && lastSeq >= oldest - 1;
  }

  /** The numbers of a client that knows more than we do (control was started anew) are continued. */
  continueAfter(lastSeq: number): void {
    this.#seq = Math.max(this.#seq, lastSeq);
  }

  /** Events go to this socket from now on, those after `lastSeq` first. An older socket is closed. */
  attach(socket: ClientSocket, lastSeq: number): void {
    const previous = this.#socket;
    this.#socket = socket;
    if (previous !== socket) previous?.close('another socket has resumed this connection', true);
    for (const event of this.#events) if (event.seq > lastSeq) socket.send(event);
  }

  /** True when `socket` was the attached one. */
  detach(socket: ClientSocket): boolean {
    if (this.#socket !== socket) return false;
    this.#socket = null;
    return true;
  }

  close(reason: string): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(reason, true);
  }
}
