// Loaded into control and nodes by NODE_OPTIONS: stops the process where a move has come to a step that the test has
// armed, between two statements, so that a fault strikes there and nowhere else. A file named after the step in
// GODWIT_TEST_STEPS arms it; the file's new name tells who stands still.
import { existsSync, readFileSync, renameSync } from 'node:fs';

const folder = process.env.GODWIT_TEST_STEPS;
const packages = new URL('../../../packages/', import.meta.url);
const kind = process.argv[2];

function at(step) {
  const armed = `${folder}/${step}`;
  if (!existsSync(armed)) return;
  renameSync(armed, `${armed}.${process.pid}`);
  process.kill(process.pid, 'SIGSTOP');
}

/** Runs `look` with the receiver and the arguments before each call of a method. */
function before(type, method, look) {
  const original = type.prototype[method];
  type.prototype[method] = function (...args) {
    look(this, args);
    return original.apply(this, args);
  };
}

/** Runs `look` after the synchronous part of each call. */
function after(type, method, look) {
  const original = type.prototype[method];
  type.prototype[method] = function (...args) {
    const result = original.apply(this, args);
    look();
    return result;
  };
}

async function watchNode() {
  const { SourceMove } = await import(new URL('node/dist/handover/source-move.js', packages));
  const { TargetMove } = await import(new URL('node/dist/handover/target-move.js', packages));
  before(SourceMove, 'receive', (_move, [, message]) => {
    if (message.kind === 'accepted') at('accepted sent');
    if (message.kind === 'released') at('lingering');
  });
  before(SourceMove, 'provenAtTarget', (move) => {
    if (move.stateName === 'proving') at('path proven');
  });
  before(SourceMove, 'frozen', () => at('frozen'));
  before(TargetMove, 'receive', (_move, [, message]) => {
    if (message.kind === 'transfer' && message.fragment === message.fragments - 1) at('transfer sent');
    if (message.kind === 'release') at('release sent');
  });
}

async function watchControl() {
  const { MovePath } = await import(new URL('control/dist/migration/move-path.js', packages));
  const { NodeCommandError, NodeSession } = await import(
    new URL('control/dist/nodes/node-session.js', packages)
  );
  const { NodeRegistry } = await import(new URL('control/dist/nodes/registry.js', packages));
  before(MovePath, 'prepare', () => at('intent written'));
  before(MovePath, 'start', () => at('target prepared'));
  before(MovePath, 'tell', () => at('source started'));
  after(MovePath, 'tell', () => at('client told'));
  // A migration moves everybody; whoever is on the node that the test names stays there, as if no target would take him.
  const command = NodeSession.prototype.command;
  NodeSession.prototype.command = function (type, fields) {
    const kept = `${folder}/keep on`;
    const stays =
      type === 'prepareMove' && existsSync(kept) && readFileSync(kept, 'utf8') === fields.sourceNodeId;
    const refusal = new NodeCommandError('relays-not-ready', 'the test keeps this one where it is');
    return stays ? Promise.reject(refusal) : command.call(this, type, fields);
  };
  // Where new transports go, as long as the test names a node: a call on two nodes of which one side moves.
  const list = NodeRegistry.prototype.list;
  NodeRegistry.prototype.list = function () {
    const nodes = list.call(this);
    const chosen = `${folder}/place on`;
    if (!existsSync(chosen)) return nodes;
    const nodeId = readFileSync(chosen, 'utf8');
    return nodes.filter((node) => node.nodeId === nodeId);
  };
}

if (kind === 'node') await watchNode();
if (kind === 'control') await watchControl();
