import { Peer, type PeerOptions } from '@godwit/testing';

/** ICE calls a path disconnected about then; the SDK asks for a restart. With control's hint the peer asks by itself. */
const SILENCE_MS = 6_000;
const ASK_AGAIN_MS = 5_000;
const LOOK_MS = 10;
const RESUME_AGAIN_MS = 250;
const CLOSE_MS = 1_000;

/** A peer that does what the SDK does when its path or its signalling breaks, and notes how long nothing came. */
export class FaultClient {
  readonly peer: Peer;
  /** Packets that came from others, each once, and that it sent; over all its transports. */
  readonly #received = new Total();
  readonly #sent = new Total();
  readonly #timer: NodeJS.Timeout;
  #streamId = '';
  #gapMs = 0;
  #packetAtMs = performance.now();
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #resumedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(peer: Peer) {
    this.peer = peer;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  static async join(options: PeerOptions): Promise<FaultClient> {
    return new FaultClient(await Peer.join(options));
  }

  async publish(): Promise<void> {
    this.#streamId = await this.peer.publish({ audio: true, video: true });
  }

  get received(): number {
    return this.#received.take(this.peer.received().reduce((sum, { packets }) => sum + packets, 0));
  }

  get sent(): number {
    return this.#sent.take(
      this.peer.sources(this.#streamId).reduce((total, { packets }) => total + packets, 0),
    );
  }

  /** Gaps count from now on. */
  measure(): void {
    this.#gapMs = 0;
    this.#packetAtMs = performance.now();
  }

  /** Longest time without a packet, one that still lasts included. */
  worstGapMs(): number {
    return Math.max(this.#gapMs, performance.now() - this.#packetAtMs);
  }

  /** Sends nothing more. */
  mute(): void {
    for (const source of this.peer.sources(this.#streamId)) source.stop();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.race([this.peer.close(), new Promise((resolve) => setTimeout(resolve, CLOSE_MS))]);
    this.peer.vanish();
  }

  #look(): void {
    const nowMs = performance.now();
    const before = this.#received.value;
    if (this.received !== before) {
      this.#gapMs = Math.max(this.#gapMs, nowMs - this.#packetAtMs);
      this.#packetAtMs = nowMs;
    }
    void this.sent;
    if (!this.peer.isSignalling) this.#resume(nowMs);
    else if (nowMs - this.peer.transport.heardMs > SILENCE_MS && nowMs - this.#askedAtMs > ASK_AGAIN_MS) {
      this.#askedAtMs = nowMs;
      this.peer.requestRestart().catch(() => undefined);
    }
  }

  #resume(nowMs: number): void {
    if (nowMs - this.#resumedAtMs < RESUME_AGAIN_MS) return;
    this.#resumedAtMs = nowMs;
    this.peer.resume().catch(() => undefined);
  }
}

/** A count that begins anew with each transport, added up. */
class Total {
  #former = 0;
  #current = 0;

  get value(): number {
    return this.#former + this.#current;
  }

  take(count: number): number {
    if (count < this.#current) this.#former += this.#current;
    this.#current = count;
    return this.value;
  }
}
