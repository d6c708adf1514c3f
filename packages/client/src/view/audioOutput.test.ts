import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { OT } from '../ot.js';
import { FakePage } from '../testing/fakePage.js';
import { Playback } from './playback.js';

const observer = { audioBlocked: () => undefined, audioUnblocked: () => undefined };

let page: FakePage;
beforeEach(() => {
  page = new FakePage().install();
});
afterEach(() => vi.unstubAllGlobals());

const play = (muted: boolean): Playback => new Playback(document.createElement('video'), muted, observer);

it('outputs are listed, and the browser’s own is active until one is chosen', async () => {
  const [loudspeakers, headphones] = await OT.getAudioOutputDevices();
  expect(headphones).toEqual({ deviceId: 'output-2', label: 'Headphones' });
  expect(await OT.getActiveAudioOutputDevice()).toEqual(loudspeakers);
});

it('an unknown or forbidden output is refused and changes nothing', async () => {
  play(false);
  const playing = page.element('video');
  page.prepare = (element) => (element.refusesSink = 'NotFoundError');
  await expect(OT.setAudioOutputDevice('gone')).rejects.toMatchObject({ name: 'OT_NO_DEVICES_FOUND' });
  page.prepare = (element) => (element.refusesSink = 'NotAllowedError');
  await expect(OT.setAudioOutputDevice('output-2')).rejects.toMatchObject({ code: 1500 });
  page.prepare = (element) => Object.assign(element, { setSinkId: undefined });
  await expect(OT.setAudioOutputDevice('output-2')).rejects.toMatchObject({ name: 'OT_NOT_SUPPORTED' });
  expect(playing.sinkId).toBe('');
});

it('a chosen output plays what plays others’ sound, now and later, until it stops', async () => {
  const own = play(true);
  const ownElement = page.element('video');
  const stopped = play(false);
  const stoppedElement = page.element('video');
  stopped.stop();
  play(false);
  const other = page.element('video');
  await OT.setAudioOutputDevice('output-2');
  play(false);
  expect([ownElement, stoppedElement, other, page.element('video')].map(({ sinkId }) => sinkId)).toEqual([
    '',
    '',
    'output-2',
    'output-2',
  ]);
  expect(await OT.getActiveAudioOutputDevice()).toMatchObject({ deviceId: 'output-2' });
  own.stop();
});
