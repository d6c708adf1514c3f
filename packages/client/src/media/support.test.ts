import { afterEach, describe, expect, it, vi } from 'vitest';
import { OT } from '../ot.js';
import { FakePage } from '../testing/fakePage.js';

const capabilities = (...names: string[]) =>
  Object.assign(vi.fn(), {
    getCapabilities: () => ({ codecs: names.map((name) => ({ mimeType: `video/${name}` })) }),
  });

afterEach(() => vi.unstubAllGlobals());

describe('what a page learns of its browser', () => {
  it('is whether it can take part', () => {
    expect(OT.checkSystemRequirements()).toBe(0);
    vi.stubGlobal('RTCPeerConnection', vi.fn());
    vi.stubGlobal('WebSocket', vi.fn());
    expect(OT.checkSystemRequirements()).toBe(1);
  });

  it('is whether it can share a screen', async () => {
    const ask = (): Promise<boolean> =>
      new Promise((resolve) => OT.checkScreenSharingCapability(({ supported }) => resolve(supported)));
    expect(await ask()).toBe(false);
    new FakePage().install();
    expect(await ask()).toBe(true);
  });

  it('is which codecs it has in common with the platform', async () => {
    await expect(OT.getSupportedCodecs()).rejects.toMatchObject({ name: 'OT_UNSUPPORTED_BROWSER' });
    vi.stubGlobal('RTCRtpSender', capabilities('VP8', 'rtx', 'H264', 'H264', 'H265'));
    vi.stubGlobal('RTCRtpReceiver', capabilities('VP8', 'vp9', 'AV1', 'red'));
    expect(await OT.getSupportedCodecs()).toEqual({
      videoEncoders: ['VP8', 'H264'],
      videoDecoders: ['VP8', 'VP9', 'AV1'],
    });
  });

  it('is that there are neither media processors nor end-to-end encryption', async () => {
    expect(OT.hasMediaProcessorSupport()).toBe(false);
    expect(await OT.hasMediaProcessorSupport.promise()).toBe(false);
    expect(OT.hasEndToEndEncryptionSupport()).toBe(false);
  });

  it('is that nobody takes its reports', async () => {
    const error = await new Promise((resolve) => OT.reportIssue(resolve));
    expect(error).toMatchObject({ name: 'OT_NOT_SUPPORTED' });
  });
});

describe('the console', () => {
  it('gets a page’s line from level LOG on', () => {
    const line = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    OT.log('unheard');
    OT.setLogLevel(OT.LOG);
    OT.log('heard');
    OT.setLogLevel(OT.ERROR);
    expect(line.mock.calls).toEqual([['[OT]', 'heard']]);
  });
});
