import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Call, Phase } from '../call/call.js';
import { PERMISSION_HINT_MS } from '../limits.js';
import { Controls } from './controls.js';
import { GapChart } from './gap-chart.js';
import { Header } from './header.js';
import { History } from './history.js';
import { Pane } from './pane.js';
import { ProblemNote } from './problem-note.js';
import { Transports } from './transports.js';
import { VerdictCard } from './verdict-card.js';

/** The whole page. */
export function App({ call, session }: { call: Call; session: string | null }) {
  const start = (): void => void call.start();
  return (
    <div class="page">
      <Header call={call} session={session} />
      <div class="notes">
        {call.notices.value.map((notice) => (
          <ProblemNote
            key={notice.code}
            problem={notice}
            onRetry={start}
            onClose={() => call.dismiss(notice.code)}
          />
        ))}
      </div>
      <Body call={call} phase={call.phase.value} onStart={start} />
      <Controls call={call} />
    </div>
  );
}

function Body({ call, phase, onStart }: { call: Call; phase: Phase; onStart: () => void }) {
  switch (phase.kind) {
    case 'joining':
      return call.participants.value.length > 0 ? (
        <InCall call={call} />
      ) : (
        <Joining call={call} step={phase.step} />
      );
    case 'in-call':
      return <InCall call={call} />;
    case 'left':
      return (
        <main class="centre">
          <h2>You have left the call</h2>
          <button type="button" class="button primary" onClick={onStart}>
            Join again
          </button>
        </main>
      );
    case 'failed':
      return (
        <main class="centre">
          <ProblemNote problem={phase.problem} onRetry={onStart} />
        </main>
      );
  }
}

const STEPS = {
  server: 'Asking the server …',
  camera: 'Opening the camera …',
  session: 'Joining the call …',
};

function Joining({ call, step }: { call: Call; step: keyof typeof STEPS }) {
  const waiting = useSignal(false);
  useEffect(() => {
    waiting.value = false;
    const timer = setTimeout(() => (waiting.value = true), PERMISSION_HINT_MS);
    return () => clearTimeout(timer);
  }, [step, waiting]);
  const asksForCamera = step === 'camera' && waiting.value;
  return (
    <main class="centre" aria-live="polite">
      <p class="joining">
        {asksForCamera ? 'Your browser asks whether this page may use the camera.' : STEPS[step]}
      </p>
      {asksForCamera && (
        <button type="button" class="button" onClick={() => call.useTestPicture()}>
          Use a test picture instead
        </button>
      )}
    </main>
  );
}

function InCall({ call }: { call: Call }) {
  const focusId = useSignal<string | null>(null);
  const focus = useComputed(
    () => call.moves.value.episodes.find((one) => one.migration.id === focusId.value) ?? null,
  );
  return (
    <main class="call">
      <div class="stage" data-people={call.participants.value.length}>
        {call.participants.value.map((participant) => (
          <Pane key={participant.key} call={call} participant={participant} />
        ))}
      </div>
      <section class="hero card" aria-label="Frame gaps">
        <VerdictCard call={call} focus={focus.value} />
        <GapChart call={call} focus={focus.value} onLive={() => (focusId.value = null)} />
      </section>
      <div class="details">
        <Transports call={call} />
        <History
          call={call}
          focus={focus.value}
          onFocus={(episode) =>
            (focusId.value = focusId.value === episode.migration.id ? null : episode.migration.id)
          }
        />
      </div>
    </main>
  );
}
