import { FakeTrack } from './fakePage.js';

interface FakeSender {
  track: unknown;
  encodings: object[];
  replaceTrack(track: unknown): Promise<void>;
  setStreams(): void;
  getParameters(): { encodings: object[] };
  setParameters(parameters: { encodings: object[] }): Promise<void>;
}

export interface FakeTransceiver {
  kind: string;
  direction: string;
  currentDirection: string | null;
  mid: string | null;
  codecs: unknown[];
  readonly sender: FakeSender;
  readonly receiver: { track: FakeTrack; getSynchronizationSources(): [] };
  setCodecPreferences(codecs: unknown[]): void;
}

function senderOf(track: unknown): FakeSender {
  const sender: FakeSender = {
    track,
    encodings: [{}],
    replaceTrack: (next) => {
      sender.track = next;
      return Promise.resolve();
    },
    setStreams: () => undefined,
    getParameters: () => ({ encodings: structuredClone(sender.encodings) }),
    setParameters: ({ encodings }) => {
      sender.encodings = encodings;
      return Promise.resolve();
    },
  };
  return sender;
}

/** A peer connection that is connected from the start and gives every transceiver a mid with the next offer. */
export class FakePeer extends EventTarget {
  connectionState = 'connected';
  iceConnectionState = 'connected';
  signalingState = 'stable';
  localDescription: { sdp: string } | null = null;
  oniceconnectionstatechange: (() => void) | null = null;
  configuration: RTCConfiguration = {};
  readonly transceivers: FakeTransceiver[] = [];
  /** The browser has begun an offer and not yet told its text. */
  whileMaking: () => void = () => undefined;

  addTransceiver(what: string | FakeTrack, { direction }: { direction: string }): FakeTransceiver {
    const kind = typeof what === 'string' ? what : what.kind;
    const transceiver: FakeTransceiver = {
      kind,
      direction,
      currentDirection: null,
      mid: null,
      codecs: [],
      sender: senderOf(typeof what === 'string' ? null : what),
      receiver: {
        track: new FakeTrack(kind === 'audio' ? 'audio' : 'video'),
        getSynchronizationSources: () => [],
      },
      setCodecPreferences: (codecs) => void (transceiver.codecs = codecs),
    };
    this.transceivers.push(transceiver);
    return transceiver;
  }

  /** The offer says what is so now, and is there a little later. */
  async setLocalDescription(): Promise<void> {
    for (const [index, transceiver] of this.transceivers.entries()) transceiver.mid ??= String(index);
    const sections = this.transceivers.map(
      ({ kind, direction, mid }) => `m=${kind} 9\r\na=mid:${mid}\r\na=${direction}\r\n`,
    );
    this.whileMaking();
    await Promise.resolve();
    this.localDescription = { sdp: `v=0\r\n${sections.join('')}` };
  }

  async setRemoteDescription(): Promise<void> {
    await Promise.resolve();
  }

  setConfiguration(configuration: RTCConfiguration): void {
    this.configuration = configuration;
  }

  getTransceivers(): FakeTransceiver[] {
    return this.transceivers;
  }

  getStats(): Promise<ReadonlyMap<string, unknown>> {
    return Promise.resolve(new Map([['pair', { type: 'candidate-pair', bytesReceived: 1 }]]));
  }

  close(): void {
    this.connectionState = 'closed';
  }
}
