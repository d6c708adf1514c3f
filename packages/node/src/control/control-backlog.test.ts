import { expect, it } from 'vitest';
import { CONTROL_BACKLOG_MAX } from '../limits.js';
import { ControlBacklog } from './control-backlog.js';

const [moveId, transportId] = ['0123456789abcdef', 'fedcba9876543210'];
const closed = (epoch: number) => ({ event: 'transportClosed', transportId, epoch, reason: 'x' }) as const;

it('keeps what is said once, in order, and lets go of the oldest when it is full', () => {
  const backlog = new ControlBacklog();
  for (let epoch = 0; epoch <= CONTROL_BACKLOG_MAX; epoch += 1) backlog.keep(closed(epoch));
  const kept = backlog.takeAll();
  expect(kept).toHaveLength(CONTROL_BACKLOG_MAX);
  expect(kept[0]).toBe(JSON.stringify(closed(1)));
  expect(backlog.takeAll()).toEqual([]);
});

it('keeps no question that is asked again', () => {
  const backlog = new ControlBacklog();
  backlog.keep({ event: 'heartbeat', transports: 1, load: 0, stopping: false });
  backlog.keep({ event: 'answerWanted', moveId, transportId });
  backlog.keep({
    event: 'releaseWanted',
    moveId,
    transportId,
    role: 'source',
    epoch: 3,
    peerNodeId: 'node-b',
  });
  expect(backlog.takeAll()).toEqual([]);
});
