import { expect, it } from 'vitest';
import type { EgressRule } from '@godwit/protocol';
import { newlyEnabledVideo } from './transport-state.js';

const video = (streamId: string, ssrc = 1, enabled = true): EgressRule =>
  ({ streamId, encodingId: 1, kind: 'video', ssrc, enabled }) as EgressRule;

it.each<[string, EgressRule[], EgressRule[]]>([
  ['a new egress', [], [video('x')]],
  ['one that is switched on again', [video('x', 1, false)], [video('x')]],
  // Its publisher has another transport: nothing of the new feed can be decoded before its first key frame.
  ['one that is given another feed on its old SSRC', [video('x')], [video('y')]],
])('needs a key frame: %s', (_case, before, after) => {
  expect(newlyEnabledVideo(before, after)).toEqual(after);
});

it.each<[string, EgressRule[], EgressRule[]]>([
  ['what goes on as before', [video('x')], [video('x')]],
  ['what is off', [video('x')], [video('y', 1, false)]],
])('needs none: %s', (_case, before, after) => {
  expect(newlyEnabledVideo(before, after)).toEqual([]);
});
