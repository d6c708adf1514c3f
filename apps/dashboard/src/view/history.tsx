import type { Call } from '../call/call.js';
import { isSettled, targetOf, type Episode } from '../moves/episodes.js';
import { largest, milliseconds, summarise } from '../moves/verdict.js';
import { NodeChip } from './node-chip.js';

interface Props {
  readonly call: Call;
  readonly focus: Episode | null;
  readonly onFocus: (episode: Episode) => void;
}

/** All moves that are known, newest first. */
export function History({ call, focus, onFocus }: Props) {
  const rows = call.moves.value.episodes.map((episode, index) => ({ episode, number: index + 1 })).reverse();
  return (
    <section class="card" aria-labelledby="history">
      <h2 id="history">Moves</h2>
      <div class="scroll">
        {rows.length === 0 && <p class="empty">This session has not moved yet.</p>}
        {rows.length > 0 && (
          <table>
            <thead>
              <tr>
                <th scope="col" class="number">
                  #
                </th>
                <th scope="col">To</th>
                <th scope="col">Moved</th>
                <th scope="col" class="number">
                  Largest gap
                </th>
                <th scope="col">
                  <span class="visually-hidden">Chart</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ episode, number }) => (
                <Row
                  key={episode.migration.id}
                  number={number}
                  episode={episode}
                  nodeIds={call.snapshot.value?.nodes.map((one) => one.id) ?? []}
                  isShown={focus === episode}
                  onFocus={onFocus}
                />
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}

interface RowProps {
  readonly number: number;
  readonly episode: Episode;
  readonly nodeIds: readonly string[];
  readonly isShown: boolean;
  readonly onFocus: (episode: Episode) => void;
}

function Row({ number, episode, nodeIds, isShown, onFocus }: RowProps) {
  const target = targetOf(episode.migration);
  return (
    <tr>
      <td class="number">{number}</td>
      <td>{target === null ? '–' : <NodeChip nodeId={target} nodeIds={nodeIds} />}</td>
      <td>{outcomeOf(episode)}</td>
      <td class="number">{gapOf(episode)}</td>
      <td class="number">
        {episode.startedMs !== null && (
          <button
            type="button"
            class="button small quiet"
            aria-pressed={isShown}
            onClick={() => onFocus(episode)}
          >
            Look
          </button>
        )}
      </td>
    </tr>
  );
}

function outcomeOf({ migration }: Episode): string {
  const moved = migration.connections.filter((one) => one.outcome === 'completed').length;
  const total = migration.connections.length;
  switch (migration.status) {
    case 'pending':
    case 'running':
      return 'moving …';
    case 'completed':
      return total === 0 ? 'nobody' : `${String(moved)} of ${String(total)}`;
    case 'failed':
      return `failed, ${String(moved)} of ${String(total)}`;
    case 'cancelled':
      return 'called off';
  }
}

/** What this page saw, else what the server was told. */
function gapOf(episode: Episode): string {
  if (!isSettled(episode, performance.now())) return '…';
  const here = summarise(episode.reports).gapMs;
  const gapMs = here ?? largest(episode.migration.connections.map((one) => one.gapMs));
  return gapMs === null ? 'not measured' : milliseconds(gapMs);
}
