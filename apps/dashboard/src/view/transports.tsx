import type { Call } from '../call/call.js';
import { NodeChip } from './node-chip.js';

/** Who is on which node. */
export function Transports({ call }: { call: Call }) {
  const snapshot = call.snapshot.value;
  const nodeIds = snapshot?.nodes.map((one) => one.id) ?? [];
  const rows = snapshot?.connections ?? [];
  const withEpoch = rows.some((row) => row.epoch !== null);
  return (
    <section class="card" aria-labelledby="transports">
      <h2 id="transports">Transports</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Connection</th>
              <th scope="col">Node</th>
              {withEpoch && (
                <th scope="col" class="number" title="Grows by one with each granted owner">
                  Epoch
                </th>
              )}
              <th scope="col">Can move</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.connectionId}>
                <td>
                  {personOf(call, row.connectionId)} <code>{row.connectionId.slice(0, 8)}</code>
                </td>
                <td>
                  <NodeChip nodeId={row.nodeId} nodeIds={nodeIds} />
                </td>
                {withEpoch && <td class="number">{row.epoch ?? '–'}</td>}
                <td>{row.migratable ? 'yes' : 'no'}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p class="empty">Nobody is connected yet.</p>}
      </div>
    </section>
  );
}

/** The name behind a connection: a person of this window, or the name of what it sends. */
function personOf(call: Call, connectionId: string): string {
  for (const participant of call.participants.value) {
    if (participant.connectionId.value === connectionId) return participant.name;
    const other = participant.received.value.find((one) => one.connectionId === connectionId);
    if (other !== undefined) return other.name;
  }
  return 'somebody';
}
