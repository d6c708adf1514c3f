import { useSignal } from '@preact/signals';
import type { Call } from '../call/call.js';
import { Icon } from './icons.js';
import { sortNodeIds } from './node-colour.js';

/** Nodes in service beyond this number make the choice of a target worth a picker. */
const NODES_WITHOUT_PICKER = 2;

/** Moves the session; with more than two nodes the target can be chosen. */
export function MoveControl({ call }: { call: Call }) {
  const target = useSignal('');
  const running = call.running.value;
  const busy = call.asking.value || running !== null;
  const nodes = call.snapshot.value?.nodes.filter((one) => one.state === 'in-service') ?? [];
  const ids = sortNodeIds(nodes.map((one) => one.id));
  const chosen = ids.includes(target.value) ? target.value : '';
  const only = call.snapshot.value !== null && ids.length < NODES_WITHOUT_PICKER;
  const move = (): void => {
    if (only) call.notify('one-node');
    else void call.move(chosen === '' ? null : chosen);
  };
  return (
    <div class="move-control">
      <button type="button" class="button primary" disabled={busy} onClick={move}>
        <Icon name="move" />
        <span class="label">{busy ? 'Moving …' : 'Move this session'}</span>
      </button>
      {ids.length > NODES_WITHOUT_PICKER && (
        <select
          aria-label="Where to"
          value={chosen}
          disabled={busy}
          onChange={(event) => (target.value = event.currentTarget.value)}
        >
          <option value="">to any node</option>
          {ids.map((id) => (
            <option key={id} value={id}>
              to {id}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}
