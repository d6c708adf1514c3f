import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Call } from '../call/call.js';
import type { Participant } from '../call/participant.js';
import { Icon } from './icons.js';
import { NodeChip } from './node-chip.js';
import { SelfView } from './self-view.js';
import { Tile } from './tile.js';
import { tileColumns } from './tile-layout.js';

interface Props {
  readonly call: Call;
  readonly participant: Participant;
}

/** The call as one person of this window sees it. */
export function Pane({ call, participant }: Props) {
  const nodeIds = call.snapshot.value?.nodes.map((one) => one.id) ?? [];
  const nodeId = ownerOf(call, participant.connectionId.value);
  const received = participant.received.value;
  return (
    <section class="pane" aria-label={`What ${participant.name} sees`}>
      <div class="pane-head">
        <h2>{participant.name}</h2>
        {participant.key === 'first' && <span class="you">you</span>}
        <NodeChip nodeId={nodeId} nodeIds={nodeIds} />
        {participant.reconnecting.value && <span class="warning">reconnecting …</span>}
        {participant.key !== 'first' && <SecondControls call={call} participant={participant} />}
      </div>
      <TileGrid count={received.length}>
        {received.length === 0 && <Alone participant={participant} />}
        {received.map((one) => (
          <Tile
            key={one.streamId}
            name={one.name}
            nodeId={ownerOf(call, one.connectionId)}
            nodeIds={nodeIds}
            hasAudio={one.hasAudio}
            hasVideo={one.hasVideo}
            element={one.element}
          />
        ))}
        {received.length > 0 && <SelfView source={participant.source} small />}
      </TileGrid>
    </section>
  );
}

/** Nobody else is here: the own picture, large. */
function Alone({ participant }: { participant: Participant }) {
  return (
    <div class="alone">
      <SelfView source={participant.source} small={false} />
      <p>Nobody else is here yet. Open the link on another device, or add somebody here.</p>
    </div>
  );
}

function SecondControls({ call, participant }: Props) {
  const muted = !participant.sendsAudio.value;
  return (
    <span class="pane-actions">
      <button
        type="button"
        class="button quiet square small"
        aria-pressed={muted}
        aria-label={`Mute ${participant.name}`}
        title={`Mute ${participant.name}`}
        onClick={() => participant.sendAudio(muted)}
      >
        <Icon name={muted ? 'microphoneOff' : 'microphone'} />
      </button>
      <button
        type="button"
        class="button quiet square small"
        aria-label={`Remove ${participant.name}`}
        title={`Remove ${participant.name}`}
        onClick={() => call.removeSecond()}
      >
        <Icon name="close" />
      </button>
    </span>
  );
}

function TileGrid({ count, children }: { count: number; children: preact.ComponentChildren }) {
  const box = useRef<HTMLDivElement>(null);
  const columns = useSignal(1);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const measure = (): void => {
      columns.value = tileColumns(count, element.clientWidth, element.clientHeight);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [count, columns]);
  const rows = Math.max(1, Math.ceil(count / columns.value));
  return (
    <div ref={box} class="tiles" style={{ '--columns': columns.value, '--rows': rows }}>
      {children}
    </div>
  );
}

/** The node that owns a connection's transport, as the last roster says. */
function ownerOf(call: Call, connectionId: string | null): string | null {
  if (connectionId === null) return null;
  return call.snapshot.value?.connections.find((one) => one.connectionId === connectionId)?.nodeId ?? null;
}
