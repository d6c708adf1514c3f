// Safeguards, each removed from the source: some seed must notice. `find` must stand in the file exactly once; `faults` are
// those of all its runs, where seldom another kind would notice; `also` takes out what would hide it.
const guard = 'packages/transport/src/srtp/nonce-guard.ts';
const sourceEffects = 'packages/node/src/handover/source-effects.ts';
const targetEffects = 'packages/node/src/handover/target-effects.ts';
const sourceMove = 'packages/node/src/handover/source-move.ts';
const targetMove = 'packages/node/src/handover/target-move.ts';

const withoutRelayDedupe = {
  file: 'packages/datapath-js/src/feed.ts',
  find: 'if (verdict !== INDEX_NEW) {',
  replace: 'if (verdict < -100) {',
};

export const MUTATIONS = [
  {
    name: 'source-floor',
    file: guard,
    find: 'space.floor = Math.min(nextOf(space) + skip, this.#indexLimit);',
    replace: 'space.floor = nextOf(space);',
    why: 'a source that takes back goes on above what it granted (HANDOVER 2.5)',
  },
  {
    name: 'grant-ceiling',
    file: targetEffects,
    find: 'context.datapath.thaw(transportId, state.media, { count: GRANT_INDICES });',
    replace: 'context.datapath.thaw(transportId, state.media, { count: null });',
    why: 'only RELEASE lets the target pass its grant (2.5)',
  },
  {
    name: 'take-back-grant',
    file: sourceEffects,
    find: 'context.datapath.unfreeze(host.transportId, skip, { count });',
    replace: 'context.datapath.unfreeze(host.transportId, 0, { count });',
    why: 'the indices of the grant may have been used by the target (2.6)',
  },
  {
    name: 'frozen-guard',
    file: 'packages/datapath-js/src/freeze.ts',
    find: "transport.ownership = { ...ownership, kind: 'frozen' };",
    replace: '',
    why: 'a frozen source encrypts nothing more (2.5)',
  },
  {
    name: 'relay-dedupe',
    ...withoutRelayDedupe,
    why: 'a packet enters a stream once, by whatever ways it comes (5)',
  },
  {
    name: 'used-bitmap',
    file: guard,
    find: '    if (space.used.has(index)) return GUARD_REUSED;\n',
    replace: '',
    also: [withoutRelayDedupe],
    why: 'an index is used once (3), even if a packet enters its stream twice: without relay-dedupe',
  },
  {
    name: 'bounce',
    file: 'packages/datapath-js/src/inbound.ts',
    find: "    case 'link':\n      core.links.sendFromClient(linkId, transport.idBytes, packet, final || origin.kind === 'link');",
    replace:
      "      core.links.sendFromClient(linkId, transport.idBytes, packet, final);\n      return;\n    case 'link':",
    why: 'what crosses the transfer is bounced (2.7)',
  },
  {
    name: 'final-mark',
    file: 'packages/datapath-js/src/inbound.ts',
    find: "packet, final || origin.kind === 'link');",
    replace: "packet, origin.kind === 'link');",
    why: 'what follows the state is kept by its target, not sent back',
  },
  {
    name: 'hold-bounced',
    file: 'packages/datapath-js/src/inbound.ts',
    find: '      else hold(core, transport, packet);',
    replace: '',
    why: 'a target keeps what was bounced until ownership is decided',
  },
  {
    name: 'linger-forwarding',
    file: sourceEffects,
    find: "context.datapath.setInbound(host.transportId, { kind: 'forward', linkId: targetNodeId });",
    replace: "context.datapath.setInbound(host.transportId, { kind: 'drop' });",
    why: 'a former owner sends on what still arrives (2.7)',
  },
  {
    name: 'catch-up',
    file: 'packages/datapath-js/src/thaw.ts',
    find: 'for (const egress of transport.egresses.values()) catchUp(core, egress);',
    replace: '',
    why: 'the new owner sends what came while nobody owned',
  },
  {
    name: 'replay-window',
    file: 'packages/datapath-js/src/thaw.ts',
    find: 'const receiver = SrtpReceiver.thaw(keys, state);',
    replace: 'const receiver = new SrtpReceiver(keys);',
    why: 'rollover counters and replay windows travel with the state (4)',
  },
  {
    name: 'former-ingress-epoch',
    file: 'packages/node/src/stream/stream-table.ts',
    find: 'untilMs: Math.min(accepted.untilMs, nowMs + FORMER_INGRESS_MS)',
    replace: 'untilMs: nowMs',
    why: 'relays of both ingress epochs are accepted for 2 s (5)',
  },
  {
    name: 'drop-keys',
    file: sourceEffects,
    find: '  context.datapath.dropKeys(host.transportId);\n',
    replace: '',
    why: 'a source without the transport has no keys of it (2.5)',
  },
  {
    name: 'yield',
    file: targetEffects,
    find: 'if (host !== undefined) yieldTransport(context, entry, host, output.ownerEpoch);',
    replace: '',
    why: 'a target whose source took back stops (2.6)',
    faults: 'node-links-cut',
  },
  {
    name: 'take-back-silence',
    file: sourceMove,
    find: 'if (nowMs - silentSince >= TAKE_BACK_SILENCE_MS) {',
    replace: 'if (nowMs - silentSince >= 0) {',
    why: 'a source takes back after silence only (2.6)',
  },
  {
    name: 'idempotent-transfer',
    file: targetMove,
    find: "return message.fragment === 0 ? [{ kind: 'send', message: this.#message('accepted') }] : [];",
    replace: "return message.fragment === 0 ? [{ kind: 'send', message: this.#message('refused') }] : [];",
    why: 'a TRANSFER that comes twice changes nothing (2.6)',
  },
  {
    name: 'transfer-repetition',
    file: sourceMove,
    find: 'return [...outputs, ...this.#transferMessages(state.sealed)];',
    replace: 'return outputs;',
    why: 'TRANSFER is repeated until it is answered (2.6)',
    faults: 'rough-network',
  },
  {
    name: 'tombstone',
    file: targetMove,
    find: "        return message.fragment === 0 ? [{ kind: 'send', message: this.#message('refused') }] : [];\n      case 'thawing':",
    replace:
      "        return message.fragment === 0 ? [{ kind: 'send', message: this.#message('accepted') }] : [];\n      case 'thawing':",
    why: 'a target that has given a move up refuses its state for good (2.6)',
  },
  {
    name: 'limited-does-not-move',
    file: 'packages/node/src/handover/move-table.ts',
    find: 'if (this.sourceOf(transportId) !== undefined || this.#isLimited(transportId)) {',
    replace: 'if (this.sourceOf(transportId) !== undefined) {',
    why: 'an owner within a grant has nothing to grant on',
  },
  {
    name: 'record-of-the-end',
    file: 'packages/control/src/migration/adopt-owner.ts',
    find: '  if (!won) return false;\n',
    replace: '  if (won) return false;\n',
    why: 'control takes the owner that the row took',
  },
  {
    name: 'highest-epoch-wins',
    file: 'packages/control/src/migration/granted-owner.ts',
    find: '  if (epoch === returnEpoch) return { ownerNodeId, epoch };\n',
    replace: '',
    why: 'a take-back counts under its reserved epoch (2.6)',
  },
  {
    name: 'no-grant-while-undecided',
    file: 'packages/control/src/migration/move.ts',
    find: "tookBack || mayTakeBack || (source !== 'cancelled' && target !== 'cancelled')",
    replace: 'false',
    why: 'what nobody could tell stays an intent until the nodes report (8)',
  },
  {
    name: 'unanswered-start',
    file: 'packages/control/src/migration/move.ts',
    find: "source !== 'cancelled' && this.#path.wasStarted",
    replace: "source !== 'cancelled' && this.#path.wasTold",
    why: 'a source may take up a start that it has not answered, and take the transport back (8)',
    faults: 'nodes-freeze',
  },
  {
    name: 'late-proof',
    file: targetMove,
    find: "      case 'limited':\n      case 'owner':\n        return [{ kind: 'pathProven', pathId }];",
    replace: "      case 'limited':\n      case 'owner':\n        return [];",
    why: 'the state may overtake the word of its proof',
    faults: 'none',
  },
];
