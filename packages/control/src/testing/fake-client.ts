import { WebSocket } from 'ws';
import {
  SIGNALLING_PATH,
  type ConnectResult,
  type OfferResult,
  type SequencedEvent,
  type SignallingError,
} from '@godwit/protocol';

type Reply =
  | { replyTo: number | null; ok: true; result: unknown }
  | { replyTo: number | null; ok: false; error: SignallingError };

/** One row of numbers for all: a client that resumes goes on counting. */
let lastId = 1;

/** A client without a browser: requests, replies and events as they come. */
export class FakeClient {
  readonly events: SequencedEvent[] = [];
  readonly replies: Reply[] = [];
  readonly #socket: WebSocket;
  readonly #waiting: { test: () => boolean; resolve: () => void }[] = [];
  closed: { code: number; reason: string } | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Reply | SequencedEvent;
      if ('event' in message) this.events.push(message);
      else this.replies.push(message);
      this.#wake();
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
    socket.on('error', () => undefined);
  }

  /** `ca`: the certificate that a listener of HTTPS has. */
  static open(url: string, ca?: string): Promise<FakeClient> {
    const socket = new WebSocket(url.replace('http', 'ws') + SIGNALLING_PATH, ca === undefined ? {} : { ca });
    const client = new FakeClient(socket);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(client));
      socket.once('error', reject);
    });
  }

  sendRaw(data: string | Buffer): void {
    this.#socket.send(data);
  }

  /** Rejects with the SignallingError when refused. */
  async request<T>(type: string, fields: object = {}, id = lastId++): Promise<T> {
    this.sendRaw(JSON.stringify({ ...fields, type, id }));
    const find = (): Reply | undefined => this.replies.find((reply) => reply.replyTo === id);
    await this.until(() => find() !== undefined || this.closed !== null);
    const reply = find();
    if (reply === undefined) throw new Error(`closed: ${this.closed?.code} ${this.closed?.reason}`);
    if (!reply.ok) throw reply.error;
    return reply.result as T;
  }

  async event<T extends SequencedEvent['event']>(
    name: T,
    accept: (event: Extract<SequencedEvent, { event: T }>) => boolean = () => true,
  ): Promise<Extract<SequencedEvent, { event: T }>> {
    const find = (): SequencedEvent | undefined =>
      this.events.find(
        (event) => event.event === name && accept(event as Extract<SequencedEvent, { event: T }>),
      );
    await this.until(() => find() !== undefined);
    return find() as Extract<SequencedEvent, { event: T }>;
  }

  async until(test: () => boolean): Promise<void> {
    if (test()) return;
    await new Promise<void>((resolve) => this.#waiting.push({ test, resolve }));
  }

  drop(): void {
    this.#socket.terminate();
  }

  #wake(): void {
    for (const waiting of [...this.#waiting]) {
      if (!waiting.test()) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.resolve();
    }
  }
}

/** An offer as Chromium writes it, cut to what the tests need. */
export function offerSdp(
  sections: readonly {
    mid: string;
    kind: 'audio' | 'video';
    direction: string;
    codecs?: readonly string[];
    ssrc?: number;
  }[],
  ice = { ufrag: 'clnt', pwd: 'c'.repeat(24) },
): string {
  const lines = [
    'v=0',
    'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${sections.map(({ mid }) => mid).join(' ')}`,
    'a=extmap-allow-mixed',
  ];
  for (const { mid, kind, direction, codecs, ssrc } of sections) {
    const names = codecs ?? (kind === 'audio' ? ['opus'] : ['VP8']);
    const payload = (index: number): number => (kind === 'audio' ? 111 + index : 96 + 2 * index);
    const types = names.flatMap((_, index) =>
      kind === 'audio' ? [payload(index)] : [payload(index), payload(index) + 1],
    );
    lines.push(
      `m=${kind} 9 UDP/TLS/RTP/SAVPF ${types.join(' ')}`,
      'c=IN IP4 0.0.0.0',
      `a=ice-ufrag:${ice.ufrag}`,
      `a=ice-pwd:${ice.pwd}`,
      `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'CD').join(':')}`,
      'a=setup:actpass',
      `a=mid:${mid}`,
      'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
      'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
      'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
      ...(kind === 'video'
        ? ['a=extmap:13 urn:3gpp:video-orientation']
        : ['a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level']),
      `a=${direction}`,
      'a=rtcp-mux',
      'a=rtcp-rsize',
    );
    for (const [index, name] of names.entries()) {
      const type = payload(index);
      if (kind === 'audio') lines.push(`a=rtpmap:${type} ${name}/48000/2`, `a=rtcp-fb:${type} transport-cc`);
      else {
        lines.push(`a=rtpmap:${type} ${name}/90000`);
        for (const feedback of ['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli'])
          lines.push(`a=rtcp-fb:${type} ${feedback}`);
        lines.push(`a=rtpmap:${type + 1} rtx/90000`, `a=fmtp:${type + 1} apt=${type}`);
      }
    }
    if (ssrc !== undefined) lines.push(`a=ssrc:${ssrc} cname:test`);
  }
  return `${lines.join('\r\n')}\r\n`;
}

export type { ConnectResult, OfferResult };
