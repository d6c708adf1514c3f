import { SrtpSender } from '@godwit/transport';
import type { SimProcess } from './process.js';
import { Violation, type Invariant } from './violation.js';
import type { World } from './world.js';

type Kind = 'srtp' | 'srtcp';

const TAG_BYTES = 16;
const RTCP_INDEX_WORD_BYTES = 4;
const PROCESS_NUMBERS_MAX = 256;

/** Where encryptions of this process are noted: one world at a time. */
let current: NonceAudit | null = null;
let isTapped = false;

/** Sees every encryption of every SrtpSender: nothing that leaves a node has not passed here. */
function tapSenders(): void {
  if (isTapped) return;
  isTapped = true;
  const { protectRtp, protectRtcp, zero } = SrtpSender.prototype;
  SrtpSender.prototype.protectRtp = function (buffer, headerLength, length, index): number {
    const written = protectRtp.call(this, buffer, headerLength, length, index);
    if (written > 0) current?.encrypted(this, 'srtp', buffer, written);
    return written;
  };
  SrtpSender.prototype.protectRtcp = function (buffer, length): number {
    const written = protectRtcp.call(this, buffer, length);
    if (written > 0) current?.encrypted(this, 'srtcp', buffer, written);
    return written;
  };
  SrtpSender.prototype.zero = function (): void {
    zero.call(this);
    current?.forgotten(this);
  };
}

/**
 * Looks for a nonce that is used twice: at each encryption, and once more on the wires to the clients. Every transport of
 * a world has SSRCs of its own, so that an SSRC names its key.
 */
export class NonceAudit {
  encryptions = 0;
  readonly #world: World;
  /** Index to authentication tag and process, by key and kind. */
  readonly #encrypted = new Map<number, Map<number, number>>();
  readonly #onWire = new Map<number, { highest: number; readonly tags: Map<number, number> }>();
  readonly #senders = new Map<SrtpSender, SimProcess>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Encryptions are noted here from now on. */
  start(): void {
    tapSenders();
    current = this;
  }

  stop(): void {
    current = null;
  }

  encrypted(sender: SrtpSender, kind: Kind, packet: Buffer, length: number): void {
    const process = this.#world.current;
    if (process === null) return;
    this.encryptions += 1;
    if (!this.#senders.has(sender)) this.#senders.set(sender, process);
    const ssrc = ssrcOf(kind, packet);
    const tagAt = kind === 'srtp' ? length - TAG_BYTES : length - TAG_BYTES - RTCP_INDEX_WORD_BYTES;
    const space = spaceOf(this.#encrypted, kind, ssrc);
    // The low bits of an SRTP index are in the packet; the sender's guard has the whole of it.
    const index = kind === 'srtp' ? (sender.nextIndex(ssrc) ?? 0) - 1 : packet.readUInt32BE(length - 4);
    const exact = kind === 'srtp' ? nearest(index, packet.readUInt16BE(2)) : index;
    const entry = packet.readUInt32BE(tagAt) * PROCESS_NUMBERS_MAX + process.number;
    const before = space.get(exact);
    if (before === undefined) space.set(exact, entry);
    else {
      const isSame = Math.floor(before / PROCESS_NUMBERS_MAX) === Math.floor(entry / PROCESS_NUMBERS_MAX);
      const by = `${before % PROCESS_NUMBERS_MAX} and ${process.number}`;
      const text = isSame ? 'the same packet twice' : 'two packets';
      this.#fail('nonce-used-once', `${text} under ${kind} SSRC ${ssrc} index ${exact}, by processes ${by}`);
    }
  }

  forgotten(sender: SrtpSender): void {
    this.#senders.delete(sender);
  }

  /** A datagram to a client, whether it arrives or not. */
  onWire(bytes: Buffer): void {
    const first = bytes[0] ?? 0;
    if (bytes.length < 28 || first < 128 || first > 191) return;
    const type = bytes[1] ?? 0;
    const kind: Kind = type >= 192 && type <= 223 ? 'srtcp' : 'srtp';
    const ssrc = ssrcOf(kind, bytes);
    const key = ssrc * 2 + (kind === 'srtp' ? 0 : 1);
    let space = this.#onWire.get(key);
    if (space === undefined) {
      space = { highest: kind === 'srtp' ? bytes.readUInt16BE(2) : 0, tags: new Map() };
      this.#onWire.set(key, space);
    }
    const index =
      kind === 'srtp'
        ? nearest(space.highest, bytes.readUInt16BE(2))
        : bytes.readUInt32BE(bytes.length - RTCP_INDEX_WORD_BYTES);
    space.highest = Math.max(space.highest, index);
    const tagAt =
      kind === 'srtp' ? bytes.length - TAG_BYTES : bytes.length - TAG_BYTES - RTCP_INDEX_WORD_BYTES;
    const tag = bytes.readUInt32BE(tagAt);
    const before = space.tags.get(index);
    if (before === undefined) space.tags.set(index, tag);
    else if (before !== tag) {
      this.#fail('nonce-used-once', `two ciphertexts on the wire under ${kind} SSRC ${ssrc} index ${index}`);
    }
  }

  /** Not thrown: the code under audit may catch. */
  #fail(invariant: Invariant, message: string): void {
    this.#world.fail(new Violation(invariant, message));
  }

  /** Asks the guards of all living owners: what two of them may use does not overlap. */
  checkRanges(): void {
    const claimed = new Map<number, { floor: number; ceiling: number; process: SimProcess }>();
    for (const [sender, process] of this.#senders) {
      if (!process.isAlive) continue;
      const { rtp, rtcp } = sender.ranges();
      for (const [kind, ranges] of [
        ['srtp', rtp],
        ['srtcp', rtcp],
      ] as const) {
        for (const { ssrc, floor, ceiling } of ranges) {
          const key = ssrc * 2 + (kind === 'srtp' ? 0 : 1);
          const other = claimed.get(key);
          claimed.set(key, { floor, ceiling, process });
          if (other === undefined || other.process === process) continue;
          if (floor >= other.ceiling || other.floor >= ceiling) continue;
          this.#fail(
            'ranges-disjoint',
            `${kind} SSRC ${ssrc}: ${process.name} may use [${floor}, ${ceiling}), ${other.process.name} [${other.floor}, ${other.ceiling})`,
          );
        }
      }
    }
  }
}

function ssrcOf(kind: Kind, packet: Buffer): number {
  return packet.readUInt32BE(kind === 'srtp' ? 8 : 4);
}

function spaceOf(spaces: Map<number, Map<number, number>>, kind: Kind, ssrc: number): Map<number, number> {
  const key = ssrc * 2 + (kind === 'srtp' ? 0 : 1);
  let space = spaces.get(key);
  if (space === undefined) spaces.set(key, (space = new Map()));
  return space;
}

/** The index nearest to `reference` whose low 16 bits are `sequence`. */
function nearest(reference: number, sequence: number): number {
  let delta = (sequence - reference) & 0xffff;
  if (delta >= 0x8000) delta -= 0x10000;
  return reference + delta;
}
