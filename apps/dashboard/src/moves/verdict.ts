import type { GapReport } from '@godwit/protocol';
import type { Migration, MovedConnection } from '../api/snapshot.js';

/** How the verdict is coloured: `calm` all was well, `uneasy` felt, `bad` the move did not happen, `plain` no judgement. */
export type Tone = 'calm' | 'uneasy' | 'bad' | 'plain';

export interface Verdict {
  readonly tone: Tone;
  /** Who moved where. */
  readonly headline: string;
  /** What was felt, a sentence each. */
  readonly details: readonly string[];
}

/** A frame of a 30 fps picture, ms: what a gap may differ by without anybody having lost a picture. */
const ONE_FRAME_MS = 34;
/** Opus in WebRTC is decoded at 48 kHz. */
const AUDIO_SAMPLES_PER_MS = 48;

/** The verdict on an ended move, from what the server did and what this page's participants saw. */
export function verdictOf(migration: Migration, reports: readonly GapReport[]): Verdict {
  const moved = migration.connections.filter((one) => one.outcome === 'completed');
  const stayed = migration.connections.filter((one) => isStay(one.outcome));
  const headline = headlineOf(migration, moved, stayed);
  const rehearsed = countOf(migration, 'rehearsed');
  if (moved.length === 0 && rehearsed === 0) {
    const nothingWrong = stayed.length === 0 && migration.status === 'completed';
    const details = nothingWrong ? [] : ['The call goes on where it is.'];
    return { tone: nothingWrong ? 'plain' : 'bad', headline, details };
  }
  const felt = summarise(reports);
  const details = [gapSentence(migration, felt), lossSentence(felt), hiddenSentence(felt)];
  return {
    tone: stayed.length > 0 ? 'bad' : toneOf(felt),
    headline,
    details: details.filter((sentence) => sentence !== null),
  };
}

/** What all reports of one move say together: the worst of each. */
export interface Felt {
  readonly reports: number;
  readonly gapMs: number | null;
  readonly beforeMs: number | null;
  readonly packetsLost: number;
  readonly freezes: number;
  readonly concealedSamples: number;
  readonly hiddenMs: number;
}

export function summarise(reports: readonly GapReport[]): Felt {
  const sum = (pick: (report: GapReport) => number): number =>
    reports.reduce((all, one) => all + pick(one), 0);
  return {
    reports: reports.length,
    gapMs: largest(reports.map((one) => one.frameGapMsMax)),
    beforeMs: largest(reports.map((one) => one.frameGapBeforeMsMax)),
    packetsLost: sum((one) => Math.max(0, one.packetsLost)),
    freezes: sum((one) => one.freezeCount),
    concealedSamples: sum((one) => one.concealedSamples),
    hiddenMs: Math.max(0, ...reports.map((one) => one.hiddenMs)),
  };
}

/** The largest number, null when there is none. */
export function largest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function headlineOf(
  migration: Migration,
  moved: readonly MovedConnection[],
  stayed: readonly MovedConnection[],
): string {
  if (migration.status === 'cancelled' && moved.length === 0) return 'The move was called off.';
  if (migration.connections.length === 0) {
    return migration.status === 'completed'
      ? 'Everybody was there already. Nobody had to move.'
      : 'The move failed.';
  }
  const parts: string[] = [];
  const rehearsed = countOf(migration, 'rehearsed');
  if (rehearsed > 0) parts.push(`Rehearsed the move of ${people(rehearsed)}; everybody is where they were.`);
  if (moved.length > 0) parts.push(`Moved ${people(moved.length)}${route(moved)}.`);
  if (stayed.length > 0) parts.push(stayedSentence(stayed));
  const gone = countOf(migration, 'disconnected');
  if (gone > 0) parts.push(`${people(gone)} disconnected, without session migration in their client.`);
  return parts.join(' ');
}

function route(moved: readonly MovedConnection[]): string {
  const from = distinct(moved.map((one) => one.from));
  const to = distinct(moved.map((one) => one.to));
  return `${from.length > 0 ? ` from ${enumerate(from)}` : ''}${to.length > 0 ? ` to ${enumerate(to)}` : ''}`;
}

function stayedSentence(stayed: readonly MovedConnection[]): string {
  const where = distinct(stayed.map((one) => one.from));
  const verb = stayed.length === 1 ? 'stays' : 'stay';
  const place = where.length > 0 ? ` on ${enumerate(where)}` : ' where they were';
  const why = distinct(stayed.map((one) => one.failure)).map((reason) => failureWords[reason] ?? reason);
  return `${capital(people(stayed.length))} ${verb}${place}${why.length > 0 ? `: ${enumerate(why)}` : ''}.`;
}

const failureWords: Readonly<Record<string, string>> = {
  'target-refused': 'the target refused',
  'target-unreachable': 'the target could not be reached',
  'relays-not-ready': 'the relays were not ready in time',
  'no-fresh-address': 'no fresh address was left',
  'path-not-proven': 'the new path did not prove itself',
  'path-did-not-return': 'the path did not return',
  'transfer-refused': 'the target refused the state',
  'transfer-timeout': 'the transfer took too long',
  'transport-closed': 'the transport was closed',
  'source-lost': 'the source was lost',
  'not-connected': 'there was no connection yet',
  cancelled: 'the move was called off',
};

function isStay(outcome: string | null): boolean {
  return outcome === 'failed' || outcome === 'cancelled';
}

function countOf(migration: Migration, outcome: string): number {
  return migration.connections.filter((one) => one.outcome === outcome).length;
}

function gapSentence(migration: Migration, felt: Felt): string {
  if (felt.gapMs !== null) {
    const before = felt.beforeMs === null ? '' : `, before the move ${milliseconds(felt.beforeMs)}`;
    return `Largest frame gap ${milliseconds(felt.gapMs)}${before}.`;
  }
  const elsewhere = largest(migration.connections.map((one) => one.gapMs));
  if (elsewhere !== null)
    return `Largest frame gap ${milliseconds(elsewhere)}, seen by other people in the call.`;
  if (felt.hiddenMs > 0) return 'No frame gap was measured.';
  return 'No frame gap was measured: this page received no video.';
}

function lossSentence(felt: Felt): string | null {
  if (felt.reports === 0) return null;
  const loss = felt.packetsLost === 0 ? 'No packet lost' : `${count(felt.packetsLost, 'packet')} lost`;
  const freeze = felt.freezes === 0 ? 'no freeze' : count(felt.freezes, 'freeze');
  const filledMs = felt.concealedSamples / AUDIO_SAMPLES_PER_MS;
  const sound = filledMs < 1 ? '' : `, ${milliseconds(filledMs)} of sound filled in`;
  return `${loss}, ${freeze}${sound}.`;
}

function hiddenSentence(felt: Felt): string | null {
  if (felt.hiddenMs <= 0) return null;
  return `${(felt.hiddenMs / 1000).toFixed(1)} s were not measured while this tab was hidden.`;
}

function toneOf(felt: Felt): Tone {
  if (felt.reports === 0 || felt.gapMs === null) return 'plain';
  const larger = felt.beforeMs !== null && felt.gapMs > felt.beforeMs + ONE_FRAME_MS;
  return felt.packetsLost > 0 || felt.freezes > 0 || larger ? 'uneasy' : 'calm';
}

/** `41 ms`, `1.2 s`. */
export function milliseconds(value: number): string {
  return value < 1000 ? `${String(Math.round(value))} ms` : `${(value / 1000).toFixed(1)} s`;
}

function people(n: number): string {
  return n === 1 ? '1 person' : `${String(n)} people`;
}

function count(n: number, noun: string): string {
  return `${String(n)} ${noun}${n === 1 ? '' : 's'}`;
}

function enumerate(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}

function distinct(items: readonly (string | null)[]): string[] {
  return [...new Set(items.filter((item) => item !== null))];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
