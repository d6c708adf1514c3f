import type { MediaKind } from '@godwit/protocol';
import { otError } from '../errors.js';
import { MEDIA_SECTIONS_MAX } from '../limits.js';

/** What a transceiver is for; a free one may be taken again, so that m-lines do not grow. */
type Role = 'sender' | 'receiver';

interface Entry {
  transceiver: RTCRtpTransceiver;
  kind: MediaKind;
  role: Role;
  free: boolean;
}

/** The part of an RTCPeerConnection that the pool needs. */
export interface TransceiverFactory {
  addTransceiver(track: MediaStreamTrack | MediaKind, init?: RTCRtpTransceiverInit): RTCRtpTransceiver;
}

/**
 * Transceivers of one peer connection. Released ones turn inactive and are taken again for the next stream
 * of the same kind and role: the number of m-lines is the largest number in use at once. Senders and receivers
 * are kept apart, so that a sender's codec choice never touches a subscription. Beyond MEDIA_SECTIONS_MAX taking one
 * throws OT_STREAM_LIMIT_EXCEEDED: the server would refuse the whole offer, and each one after it.
 */
export class TransceiverPool {
  readonly #factory: TransceiverFactory;
  #entries: Entry[] = [];

  constructor(factory: TransceiverFactory) {
    this.#factory = factory;
  }

  /** A transceiver that receives one track. */
  receive(kind: MediaKind): RTCRtpTransceiver {
    const entry = this.#takeFree(kind, 'receiver');
    if (entry !== undefined) {
      entry.transceiver.direction = 'recvonly';
      return entry.transceiver;
    }
    this.#bound();
    return this.#add(kind, 'receiver', this.#factory.addTransceiver(kind, { direction: 'recvonly' }));
  }

  /** A transceiver that sends `track`. */
  async send(track: MediaStreamTrack, stream: MediaStream, encoding: Encoding): Promise<RTCRtpTransceiver> {
    const kind: MediaKind = track.kind === 'audio' ? 'audio' : 'video';
    const entry = this.#takeFree(kind, 'sender');
    if (entry === undefined) {
      this.#bound();
      const init: RTCRtpTransceiverInit = {
        direction: 'sendonly',
        streams: [stream],
        sendEncodings: [{ ...encoding }],
      };
      return this.#add(kind, 'sender', this.#factory.addTransceiver(track, init));
    }
    const { transceiver } = entry;
    await transceiver.sender.replaceTrack(track);
    transceiver.sender.setStreams(stream);
    transceiver.direction = 'sendonly';
    await setEncoding(transceiver.sender, encoding);
    return transceiver;
  }

  /** Gives a transceiver back; it stops carrying media with the next negotiation. */
  async release(transceiver: RTCRtpTransceiver): Promise<void> {
    const entry = this.#entries.find((candidate) => candidate.transceiver === transceiver);
    if (entry === undefined || entry.free) return;
    entry.free = true;
    if (isStopped(transceiver)) return;
    transceiver.direction = 'inactive';
    if (entry.role === 'sender') await transceiver.sender.replaceTrack(null);
  }

  #bound(): void {
    if (this.#entries.length >= MEDIA_SECTIONS_MAX) throw otError('OT_STREAM_LIMIT_EXCEEDED');
  }

  #add(kind: MediaKind, role: Role, transceiver: RTCRtpTransceiver): RTCRtpTransceiver {
    this.#entries.push({ transceiver, kind, role, free: false });
    return transceiver;
  }

  #takeFree(kind: MediaKind, role: Role): Entry | undefined {
    // An m-line that the server rejected is stopped for good; the browser recycles its place itself.
    this.#entries = this.#entries.filter((entry) => !entry.free || !isStopped(entry.transceiver));
    const entry = this.#entries.find((each) => each.free && each.kind === kind && each.role === role);
    if (entry !== undefined) entry.free = false;
    return entry;
  }
}

function isStopped(transceiver: RTCRtpTransceiver): boolean {
  return transceiver.currentDirection === 'stopped' || transceiver.direction === 'stopped';
}

/** How a sender encodes; what is absent is the browser's choice. */
export interface Encoding {
  /** Bits per second. */
  maxBitrate?: number;
  /** Frames per second. */
  maxFramerate?: number;
  /** Width and height are divided by it; at least 1. */
  scaleResolutionDownBy?: number;
}

const ENCODING_MEMBERS = ['maxBitrate', 'maxFramerate', 'scaleResolutionDownBy'] as const;

/** Makes a sender encode so from now on; what is absent is lifted. */
export async function setEncoding(sender: RTCRtpSender, wanted: Encoding): Promise<void> {
  const parameters = sender.getParameters();
  for (const encoding of parameters.encodings) {
    for (const member of ENCODING_MEMBERS) {
      if (wanted[member] === undefined) delete encoding[member];
      else encoding[member] = wanted[member];
    }
  }
  if (parameters.encodings.length > 0) await sender.setParameters(parameters);
}
