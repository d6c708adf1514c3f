import type { NodeEvent } from '@godwit/protocol';
import { CONTROL_BACKLOG_MAX } from '../limits.js';

/** Said again while they hold: kept, they would only push out what is said once. */
const REPEATED: ReadonlySet<NodeEvent['event']> = new Set(['heartbeat', 'releaseWanted', 'answerWanted']);

/** What control is to hear once it is back, oldest first. */
export class ControlBacklog {
  #texts: string[] = [];

  keep(event: NodeEvent): void {
    if (REPEATED.has(event.event)) return;
    if (this.#texts.length >= CONTROL_BACKLOG_MAX) this.#texts.shift();
    this.#texts.push(JSON.stringify(event));
  }

  /** Empties it. */
  takeAll(): readonly string[] {
    return this.#texts.splice(0);
  }
}
