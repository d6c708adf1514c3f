import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import type { Call } from '../call/call.js';
import { REPORT_WAIT_MS } from '../limits.js';
import { isSettled, targetOf, type Episode } from '../moves/episodes.js';
import { verdictOf } from '../moves/verdict.js';

/** What became of the last move, in words; during one, how far it is. */
export function VerdictCard({ call, focus }: { call: Call; focus: Episode | null }) {
  const tick = useSignal(0);
  const latest = call.moves.value.episodes.findLast((one) => one.startedMs !== null) ?? null;
  const shown = focus ?? latest;
  // Reports may never come (a closed tab): look again when the wait is over.
  useEffect(() => {
    if (shown?.endedMs == null) return undefined;
    const timer = setTimeout(() => (tick.value += 1), REPORT_WAIT_MS + 50);
    return () => clearTimeout(timer);
  }, [shown?.endedMs, tick]);
  void tick.value;
  return (
    <div class="verdict" aria-live="polite" aria-atomic="true">
      {shown === null ? <Invitation call={call} /> : <Words episode={shown} />}
    </div>
  );
}

function Invitation({ call }: { call: Call }) {
  const alone = call.board.entries.value.length === 0;
  return (
    <>
      <h2>Time between two frames</h2>
      <p>
        {alone
          ? 'With two people in the call there is video to watch while the session moves.'
          : 'Move the session and watch the line: a frozen picture would be a peak.'}
      </p>
    </>
  );
}

function Words({ episode }: { episode: Episode }) {
  const { migration } = episode;
  if (isSettled(episode, performance.now())) {
    const verdict = verdictOf(migration, episode.reports);
    return (
      <>
        <h2 class={`tone-${verdict.tone}`}>{verdict.headline}</h2>
        <p>{verdict.details.join(' ')}</p>
      </>
    );
  }
  const target = targetOf(migration);
  const { moved, total } = migration.progress;
  const measuring = episode.endedMs !== null;
  return (
    <>
      <h2>
        {measuring ? 'Moved. Measuring what was seen …' : `Moving${target === null ? '' : ` to ${target}`} …`}
      </h2>
      <p>
        <progress max={Math.max(1, total)} value={moved} aria-label="Progress of the move" />{' '}
        {total > 0 ? `${String(moved)} of ${String(total)} moved` : 'getting ready'}
      </p>
    </>
  );
}
