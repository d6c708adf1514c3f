import type { Datapath, SrtpKeys } from '@godwit/datapath';
import { createDatapath } from '@godwit/datapath-js';
import { AddressPool, NodeCore, NodeIdentity, type Handshakes } from '@godwit/node/core';
import type { DtlsFingerprint, NodeCommand, NodeEvent } from '@godwit/protocol';
import type { DtlsHandshake } from '@godwit/transport';
import type { ChannelEnd } from './channel.js';
import { NodeLink } from './node-link.js';
import type { SimProcess } from './process.js';
import { silentLog } from './silent-log.js';
import type { World } from './world.js';

/** First byte of the one datagram each way that stands for a DTLS handshake. */
export const HANDSHAKE_BYTE = 22;
const HANDSHAKE_ANSWER = Buffer.from([HANDSHAKE_BYTE, 1]);

/** The same for all: certificates play no part once handshakes are left out. */
export const NODE_FINGERPRINT: DtlsFingerprint = { algorithm: 'sha-256', value: 'AB:CD' };

export interface NodeWorld {
  readonly world: World;
  /** A channel to control's process; null while there is none. */
  readonly dialControl: (from: SimProcess) => ChannelEnd | null;
  /** Keys of the client with that fingerprint, as the node would have them after a handshake. */
  readonly keysOf: (fingerprint: string) => SrtpKeys;
  readonly onLinkMessage: (node: SimNode, bytes: Uint8Array) => void;
  readonly onCommand: (node: SimNode, command: NodeCommand) => void;
  readonly onEvent: (node: SimNode, event: NodeEvent) => void;
  readonly onError: (who: string, message: string, details: unknown) => void;
}

/** One media node: the real core over the real datapath, on virtual sockets. */
export class SimNode {
  readonly process: SimProcess;
  readonly core: NodeCore;
  readonly link: NodeLink;
  readonly slot: number;

  private constructor(options: { process: SimProcess; core: NodeCore; link: NodeLink; slot: number }) {
    this.process = options.process;
    this.core = options.core;
    this.link = options.link;
    this.slot = options.slot;
  }

  /** Id that control gave; the name of the process before. */
  get nodeId(): string {
    return this.link.nodeId ?? this.process.name;
  }

  /** Starts a node and lets it dial control. Runs inside its process. */
  static async boot(surroundings: NodeWorld, process: SimProcess, slot: number): Promise<SimNode> {
    const { world } = surroundings;
    const clockMs = (): number => process.clockMs();
    const parts: { core?: NodeCore; node?: SimNode } = {};
    const datapath = createDatapath({
      clockMicros: () => clockMs() * 1_000,
      randomInteger: (min, max) => world.random.integer(min, max),
      openSocket: world.network.socketsOf(process),
      onExceptions: (batch) => parts.core?.dispatch(batch),
    });
    observeLinkMessages(datapath, (bytes) => {
      if (parts.node !== undefined) surroundings.onLinkMessage(parts.node, bytes);
    });
    const address = `127.0.1.${slot + 1}`;
    const pool = await AddressPool.open(datapath, { announcedAddresses: [address], rtcPorts: null });
    const linkSocket = await datapath.openSocket({ address, port: 0, family: 'IPv4', purpose: 'link' });
    const identity = new NodeIdentity();
    const link: NodeLink = new NodeLink({
      world,
      process,
      dial: () => surroundings.dialControl(process),
      registration: (nodeId) => registrationOf(core, identity, nodeId, process.number),
      onRegistered: (nodeId) => {
        world.trace.line(process.name, `is ${nodeId}`);
        core.registered(nodeId);
      },
      onCommand: (command) => {
        if (parts.node !== undefined) surroundings.onCommand(parts.node, command);
        return core.handle(command);
      },
      onEvent: (event) => {
        if (parts.node !== undefined) surroundings.onEvent(parts.node, event);
      },
    });
    const core: NodeCore = new NodeCore({
      datapath,
      pool,
      linkSocket,
      identity,
      handshakes: handshakesOf(surroundings.keysOf),
      control: link,
      log: silentLog((message, details) => {
        surroundings.onError(process.name, message, details);
      }),
      clockMs,
      isStopping: () => false,
    });
    parts.core = core;
    parts.node = new SimNode({ process, core, link, slot });
    link.open();
    return parts.node;
  }
}

function registrationOf(core: NodeCore, identity: NodeIdentity, nodeId: string | null, pid: number): string {
  return JSON.stringify({
    type: 'register',
    ...(nodeId === null ? {} : { nodeId }),
    identityKey: identity.identityKey.toString('base64'),
    linkKey: identity.linkKey.toString('base64'),
    linkKeySignature: identity.linkKeySignature.toString('base64'),
    bootId: identity.bootId,
    // Proofs of the join key belong to the socket that is left out.
    joinProof: '',
    signature: '',
    ...core.describe(),
    opsUrl: '',
    pid: pid + 1,
  });
}

/** Instance over class: the datapath's own frames (media, repairs) do not pass here, only what the node decides to send. */
function observeLinkMessages(datapath: Datapath, observe: (bytes: Uint8Array) => void): void {
  const send = datapath.sendLinkMessage.bind(datapath);
  datapath.sendLinkMessage = (linkId, bytes) => {
    observe(bytes);
    return send(linkId, bytes);
  };
}

/** A handshake that ends with the first datagram: its cryptography is tested elsewhere and costs milliseconds. */
function handshakesOf(keysOf: (fingerprint: string) => SrtpKeys): Handshakes {
  return {
    fingerprint: NODE_FINGERPRINT,
    create: ({ value }): DtlsHandshake => {
      let isFinished = false;
      return {
        handleDatagram: () => {
          const answer = { kind: 'send', datagrams: [HANDSHAKE_ANSWER] } as const;
          if (isFinished) return [answer];
          isFinished = true;
          return [answer, { kind: 'finished', keys: keysOf(value) }];
        },
        tick: () => [],
        confirm: () => undefined,
        close: () => undefined,
      };
    },
  };
}
