import { moveTransport, type MoveReport } from '@godwit/control/core';
import type { Platform } from './platform.js';
import type { SimControl } from './sim-control.js';

interface Asked {
  readonly control: SimControl;
  readonly rehearsal: boolean;
  report: MoveReport | null;
}

/** Share of the connections that a round without a migration moves. */
const MOVED_SHARE = 0.7;

/** Asks for moves, and remembers what came of each. */
export class Operator {
  readonly #platform: Platform;
  readonly #asked: Asked[] = [];
  /** Asked of each control and not answered yet. */
  readonly #open = new Map<SimControl, number>();
  #moves = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** The whole session goes to one node. Runs inside control's process. */
  migrate(control: SimControl, rehearsal: boolean): void {
    const { world, sessionId } = this.#platform;
    const session = control.context.roster.kept(sessionId);
    if (session === null) return;
    const inService = this.#inService(control);
    const target = inService.length > 0 && world.random.chance(0.7) ? world.random.pick(inService) : null;
    world.trace.line('operator', `migration to ${target ?? 'anywhere'}${rehearsal ? ', rehearsed' : ''}`);
    control.core.migrations.start(session, { target, rehearsal }).catch((error: unknown) => {
      world.trace.line('operator', `refused: ${String(error)}`);
    });
  }

  /** Some transports go to nodes of their own, as when load is balanced. Runs inside control's process. */
  moveSome(control: SimControl, rehearsal: boolean): void {
    const { world } = this.#platform;
    for (const connection of control.context.roster.connections()) {
      const owner = connection.transport?.ownerNodeId;
      const targets = this.#inService(control).filter((nodeId) => nodeId !== owner);
      if (targets.length === 0 || !world.random.chance(MOVED_SHARE)) continue;
      const targetNodeId = world.random.pick(targets);
      const asked: Asked = { control, rehearsal, report: null };
      this.#asked.push(asked);
      this.#open.set(control, (this.#open.get(control) ?? 0) + 1);
      const moveId = (0xa000000000000 + this.#moves++).toString(16).padStart(16, '0');
      const move = moveTransport(control.context, control.core.waits, {
        moveId,
        connection,
        targetNodeId,
        rehearsal,
      });
      move.then(
        (report) => {
          asked.report = report;
          this.#open.set(control, (this.#open.get(control) ?? 0) - 1);
        },
        (error: unknown) => {
          world.fail(error);
        },
      );
    }
  }

  /** True while something that this control was asked for has not ended. */
  isBusy(control: SimControl): boolean {
    return (this.#open.get(control) ?? 0) > 0 || this.#platform.openMigrations > 0;
  }

  /** How every move ended, in words: "completed", "failed: source-lost", … */
  outcomes(): string[] {
    const { moves, migrations } = this.#platform.tables;
    const ofMigrations = [...moves.values()].map((move) =>
      describe(move, migrations.get(move.migrationId)?.rehearsal === true),
    );
    const alone = this.#asked.map(({ report, rehearsal }) =>
      report === null ? 'control crashed' : describe(report, rehearsal),
    );
    return [...ofMigrations, ...alone];
  }

  #inService(control: SimControl): string[] {
    return control.context.nodes
      .list()
      .filter((node) => node.inService)
      .map(({ nodeId }) => nodeId);
  }
}

function describe(
  { outcome, failure }: { readonly outcome: string | null; readonly failure: string | null },
  rehearsal: boolean,
): string {
  const text = failure === null ? (outcome ?? 'never') : `${outcome ?? 'never'}: ${failure}`;
  return failure === 'no-fresh-address' && rehearsal ? `${text}, rehearsing` : text;
}
