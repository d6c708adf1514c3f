import type { SequencedEvent, SignallingEvent } from '@godwit/protocol';
import { vi } from 'vitest';
import { FakePage } from './fakePage.js';
import { FakePeer } from './fakePeer.js';
import { FakeSocket, settle } from './fakePlatform.js';

const OWN = { connectionId: 'own', creationTime: 1, data: '' };

/** A page whose sockets lead to a control that the test plays, and whose peer connections are connected at once. */
export class FakeCall {
  readonly page = new FakePage().install();
  readonly sockets: FakeSocket[] = [];
  readonly peers: FakePeer[] = [];
  /** What the next answer to connect says differently. */
  roster: object = {};
  /** Refusals by request type. */
  readonly refuses = new Map<string, { code: number; name: string; message: string }>();
  #seq = 0;

  /** Puts everything in place; `vi.unstubAllGlobals` takes it away. */
  install(): this {
    const { sockets, peers } = this;
    const created = (socket: FakeSocket): void => this.#connectSocket(socket);
    vi.stubGlobal('WebSocket', function () {
      const socket = new FakeSocket();
      sockets.push(socket);
      created(socket);
      return socket;
    });
    vi.stubGlobal('RTCPeerConnection', function () {
      const peer = new FakePeer();
      peers.push(peer);
      return peer;
    });
    vi.stubGlobal('RTCRtpReceiver', { getCapabilities: () => null });
    return this;
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('no socket was made');
    return socket;
  }

  /** Requests of a type that have arrived, pings aside. */
  asked(type: string): Record<string, unknown>[] {
    return this.sockets.flatMap(({ sent }) => sent).filter((message) => message.type === type);
  }

  /** Control says something; the page has heard it when it resolves. */
  async tell(event: SignallingEvent): Promise<void> {
    this.#seq += 1;
    const sequenced: SequencedEvent = { ...event, seq: this.#seq };
    this.socket.deliver(sequenced);
    await settle();
  }

  #connectSocket(socket: FakeSocket): void {
    const send = socket.send.bind(socket);
    socket.send = (text) => {
      send(text);
      const request = JSON.parse(text) as { id: number; type: string };
      queueMicrotask(() => this.#reply(socket, request));
    };
    queueMicrotask(() => socket.onopen?.());
  }

  #reply(socket: FakeSocket, { id, type }: { id: number; type: string }): void {
    const error = this.refuses.get(type);
    if (error !== undefined) socket.deliver({ replyTo: id, ok: false, error });
    else socket.deliver({ replyTo: id, ok: true, result: this.#resultOf(type) });
  }

  #resultOf(type: string): object {
    switch (type) {
      case 'connect':
      case 'resume':
        return {
          connection: OWN,
          resumeToken: 'secret',
          resumed: type === 'resume',
          capabilities: { publish: 1, subscribe: 1, forceDisconnect: 0, forceUnpublish: 0, forceMute: 0 },
          connections: [],
          streams: [],
          muteForced: false,
          signals: 0,
          seq: this.#seq,
          ...this.roster,
        };
      case 'createStream':
        return { streamId: '0'.repeat(16), creationTime: 2 };
      case 'offer':
        return { sdp: 'answer', refused: [] };
      default:
        return {};
    }
  }
}
