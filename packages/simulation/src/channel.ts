import type { SimProcess } from './process.js';
import type { World } from './world.js';

/** One end of a channel. */
export interface ChannelEnd {
  onMessage: (text: string) => void;
  /** Once, when the channel is gone as far as this end can tell. Not after this end closed it itself. */
  onClose: () => void;
  send(text: string): void;
  /** The other end hears of it when what was sent before has come. */
  close(): void;
  readonly isOpen: boolean;
}

/** How often what waits behind a cut or a loss is tried again. */
const RETRY_MS = 50;

type Item = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'end' };

interface Direction {
  readonly from: SimProcess;
  readonly to: SimProcess;
  readonly queue: { readonly item: Item; readonly atMs: number }[];
  isPumping: boolean;
}

/**
 * A byte stream between two processes, as a WebSocket makes it: nothing is lost or overtaken, but a cut wire keeps it back
 * until it heals or an end gives up. A process that dies ends it; the other end is told once it can be reached.
 */
export class Channel {
  readonly ends: readonly [ChannelEnd, ChannelEnd];
  readonly #world: World;
  readonly #open: [boolean, boolean] = [true, true];
  readonly #directions: readonly [Direction, Direction];

  constructor(world: World, a: SimProcess, b: SimProcess) {
    this.#world = world;
    this.#directions = [
      { from: a, to: b, queue: [], isPumping: false },
      { from: b, to: a, queue: [], isPumping: false },
    ];
    this.ends = [this.#end(0), this.#end(1)];
  }

  /** The process at this end has died: what it sent may still arrive, then the end. */
  died(side: 0 | 1): void {
    if (!this.#open[side]) return;
    this.#open[side] = false;
    this.#push(side, { kind: 'end' });
  }

  #end(side: 0 | 1): ChannelEnd {
    const isOpen = (): boolean => this.#open[side];
    return {
      onMessage: () => undefined,
      onClose: () => undefined,
      send: (text) => {
        if (isOpen()) this.#push(side, { kind: 'text', text });
      },
      close: () => {
        this.died(side);
      },
      get isOpen() {
        return isOpen();
      },
    };
  }

  #push(side: 0 | 1, item: Item): void {
    const direction = this.#directions[side];
    const { network, nowMs } = this.#world;
    const conditions = network.conditions(direction.from, direction.to);
    direction.queue.push({ item, atMs: nowMs + network.delayMs(conditions) });
    if (!direction.isPumping) this.#pump(side);
  }

  #pump(side: 0 | 1): void {
    const direction = this.#directions[side];
    const head = direction.queue[0];
    direction.isPumping = head !== undefined;
    if (head === undefined) return;
    this.#world.after(Math.max(0, head.atMs - this.#world.nowMs), () => {
      this.#arrive(side);
    });
  }

  #arrive(side: 0 | 1): void {
    const direction = this.#directions[side];
    const { network, random } = this.#world;
    const receiver = side === 0 ? 1 : 0;
    if (!direction.to.isAlive || !this.#open[receiver]) {
      direction.queue.length = 0;
      direction.isPumping = false;
      return;
    }
    const { isCut, loss } = network.conditions(direction.from, direction.to);
    if (isCut || (loss > 0 && random.chance(loss))) {
      this.#world.after(RETRY_MS, () => {
        this.#arrive(side);
      });
      return;
    }
    const head = direction.queue.shift();
    if (head !== undefined) direction.to.run(() => this.#receive(receiver, head.item));
    this.#pump(side);
  }

  #receive(receiver: 0 | 1, item: Item): void {
    if (!this.#open[receiver]) return;
    const end = this.ends[receiver];
    this.#world.settles();
    if (item.kind === 'text') {
      end.onMessage(item.text);
      return;
    }
    this.#open[receiver] = false;
    end.onClose();
  }
}
