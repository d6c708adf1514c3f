import { createHmac, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { WebSocket } from 'ws';
import {
  NODE_PATH,
  nodeCommand,
  type NodeCommand,
  type NodeCommandType,
  type NodeErrorCode,
  type NodeEvent,
  type PoolAddress,
  type ReportedTransport,
} from '@godwit/protocol';

type Command<T extends NodeCommandType> = Extract<NodeCommand, { type: T }>;
type Script = { [T in NodeCommandType]?: (command: Command<T>) => unknown };

/** Thrown by a script to refuse a command. */
export class Refusal extends Error {
  readonly code: NodeErrorCode;
  constructor(code: NodeErrorCode) {
    super(`scripted refusal: ${code}`);
    this.code = code;
  }
}

export interface FakeNodeOptions {
  readonly url: string;
  readonly joinKey: string;
  readonly identity?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly nodeId?: string;
  readonly transports?: ReportedTransport[];
  readonly addresses?: PoolAddress[];
  readonly stateSchemas?: number[];
  /** What it answers from the beginning. */
  readonly script?: Script;
  /** Spoils a proof. */
  readonly spoil?: 'joinProof' | 'signature' | 'linkKeySignature';
}

let lastPort = 20_000;

/** A media node that speaks the protocol and carries no media. Scripts change what it answers. */
export class FakeNode {
  readonly commands: NodeCommand[] = [];
  readonly script: Script = {};
  readonly identity: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  nodeId = '';
  closeCode: number | null = null;
  readonly addresses: PoolAddress[];
  readonly #options: FakeNodeOptions;
  readonly #socket: WebSocket;
  #heartbeat: NodeJS.Timeout | null = null;
  #ended: () => void = () => undefined;
  readonly ended: Promise<void> = new Promise((resolve) => (this.#ended = resolve));

  constructor(options: FakeNodeOptions) {
    this.#options = options;
    Object.assign(this.script, options.script);
    this.identity = options.identity ?? generateKeyPairSync('ed25519');
    this.addresses =
      options.addresses ??
      Array.from({ length: 4 }, () => ({ address: '127.0.0.1', port: lastPort++, family: 'IPv4' as const }));
    this.#socket = new WebSocket(options.url.replace('http', 'ws') + NODE_PATH);
    this.#socket.on('close', (code) => {
      this.closeCode = code;
      if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
      this.#ended();
    });
    this.#socket.on('error', () => undefined);
  }

  static async start(options: FakeNodeOptions): Promise<FakeNode> {
    const node = new FakeNode(options);
    await node.#register();
    return node;
  }

  /** Commands of one type, oldest first. */
  received<T extends NodeCommandType>(type: T): Command<T>[] {
    return this.commands.filter((command): command is Command<T> => command.type === type);
  }

  send(event: NodeEvent): void {
    this.#socket.send(JSON.stringify(event));
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  stop(): void {
    this.#socket.terminate();
  }

  #register(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.on('close', () => resolve());
      this.#socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as { type: string; nonce: string; nodeId: string };
        if (message.type === 'challenge')
          this.#socket.send(JSON.stringify(this.#registration(message.nonce)));
        else if (message.type === 'welcome') {
          this.nodeId = message.nodeId;
          this.#heartbeat = setInterval(() => this.#beat(), 200);
          resolve();
        } else void this.#obey(nodeCommand.parse(message));
      });
    });
  }

  #beat(): void {
    if (this.#socket.readyState === this.#socket.OPEN) {
      this.send({ event: 'heartbeat', transports: 0, load: 0.1, stopping: false });
    }
  }

  async #obey(command: NodeCommand): Promise<void> {
    this.commands.push(command);
    const reply = (body: object): void => {
      if (this.#socket.readyState === this.#socket.OPEN) {
        this.#socket.send(JSON.stringify({ replyTo: command.id, ...body }));
      }
    };
    try {
      const scripted = this.script[command.type] as ((command: NodeCommand) => unknown) | undefined;
      const result = (await scripted?.(command)) ?? this.#default(command);
      reply({ ok: true, result });
    } catch (error) {
      const code = error instanceof Refusal ? error.code : 'internal';
      reply({ ok: false, error: { code, message: String(error) } });
    }
  }

  #default(command: NodeCommand): object {
    const credentials = (): object => ({
      ufrag: randomBytes(6).toString('hex'),
      pwd: randomBytes(16).toString('hex'),
    });
    switch (command.type) {
      case 'createTransport':
        return {
          ice: credentials(),
          fingerprint: { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => 'AB').join(':') },
          addresses: this.addresses.slice(0, 1),
        };
      case 'restartIce':
        return { ice: credentials(), addresses: this.addresses.slice(0, 1) };
      case 'prepareMove': {
        const used = command.method === 'restart' ? [] : command.usedAddresses;
        return {
          addresses: [this.#fresh(used)],
          sealKey: randomBytes(32).toString('base64'),
          ...(command.method === 'restart' ? { restartIce: credentials() } : {}),
        };
      }
      case 'returnPath':
        return command.method === 'restart'
          ? { addresses: this.addresses.slice(0, 1), restartIce: credentials() }
          : { addresses: [this.#fresh(command.usedAddresses)] };
      case 'cancelMove': {
        const epoch = this.#ownedAs(command.transportId);
        return epoch === undefined ? {} : { epoch };
      }
      case 'configureTransport':
        if (!this.#knows(command.transportId)) throw new Refusal('unknown-transport');
        return {};
      default:
        return {};
    }
  }

  /** It was made or prepared here, or it was registered with. */
  #knows(wanted: string): boolean {
    const seen = [...this.received('createTransport'), ...this.received('prepareMove')];
    const known = [...seen, ...(this.#options.transports ?? [])];
    return known.some(({ transportId }) => transportId === wanted);
  }

  /** As it was made here, or as it was registered with. */
  #ownedAs(wanted: string): number | undefined {
    const made = this.received('createTransport').find(({ transportId }) => transportId === wanted);
    return (made ?? this.#options.transports?.find(({ transportId }) => transportId === wanted))?.epoch;
  }

  #fresh(used: readonly string[]): PoolAddress {
    const found = this.addresses.find(({ address, port }) => !used.includes(`${address}:${port}`));
    if (found === undefined) throw new Refusal('no-fresh-address');
    return found;
  }

  #registration(nonceText: string): object {
    const nonce = Buffer.from(nonceText, 'base64');
    const identityKey = this.identity.publicKey.export({ type: 'spki', format: 'der' });
    const linkKey = generateKeyPairSync('x25519')
      .publicKey.export({ type: 'spki', format: 'der' })
      .subarray(-32);
    const bootId = randomBytes(8).toString('hex');
    const joinProof = createHmac('sha256', this.#options.joinKey)
      .update(nonce)
      .update(identityKey)
      .update(linkKey)
      .digest();
    const statement = Buffer.concat([Buffer.from('godwit-link-key'), Buffer.from(bootId, 'hex'), linkKey]);
    const proofs = {
      joinProof,
      signature: sign(null, Buffer.concat([nonce, joinProof]), this.identity.privateKey),
      linkKeySignature: sign(null, statement, this.identity.privateKey),
    };
    if (this.#options.spoil !== undefined) proofs[this.#options.spoil][0]! ^= 1;
    return {
      type: 'register',
      ...(this.#options.nodeId === undefined ? {} : { nodeId: this.#options.nodeId }),
      identityKey: identityKey.toString('base64'),
      linkKey: linkKey.toString('base64'),
      linkKeySignature: proofs.linkKeySignature.toString('base64'),
      bootId,
      joinProof: proofs.joinProof.toString('base64'),
      signature: proofs.signature.toString('base64'),
      version: '0.1.0',
      stateSchemas: this.#options.stateSchemas ?? [1],
      linkAddress: { address: '127.0.0.1', port: 30_000, family: 'IPv4' },
      addresses: this.addresses,
      opsUrl: 'http://127.0.0.1:1',
      pid: process.pid,
      transports: this.#options.transports ?? [],
    };
  }
}

/** Plays the part of both nodes in moves: proof at the target, then the end at the source. */
export function scriptMoves(source: FakeNode, target: FakeNode): void {
  for (const [from, to] of [
    [source, target],
    [target, source],
  ] as const) {
    from.script.startMove = (command) => {
      const { moveId, transportId } = command;
      setTimeout(() => {
        from.send({ event: 'moveProven', moveId, transportId, measures: { pathMs: 5 } });
        if (command.rehearsal) return;
        const ended = {
          event: 'moveEnded',
          moveId,
          transportId,
          ownerNodeId: to.nodeId,
          epoch: command.epoch,
        } as const;
        to.send({ ...ended, outcome: 'completed', measures: { transferMs: 1.5 } });
        from.send({ ...ended, outcome: 'completed', measures: { transferMs: 1.5 } });
      }, 10);
      return {};
    };
    from.script.returnPath = (command) => {
      const { moveId, transportId } = command;
      setTimeout(() => {
        from.send({ event: 'pathReturned', moveId, transportId });
        // As the node does: it calls its own epoch "the granted one less one".
        const start = from.received('startMove').at(-1)!;
        const ended = { event: 'moveEnded', moveId, transportId, ownerNodeId: from.nodeId } as const;
        from.send({ ...ended, epoch: start.epoch - 1, outcome: 'rehearsed', measures: {} });
      }, 10);
      return undefined;
    };
  }
}
