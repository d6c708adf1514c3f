import { otError } from '../errors.js';
import type { Completion } from '../events/completion.js';
import { complete } from '../events/completion.js';
import { withPromise } from '../events/withPromise.js';
import { log } from '../log.js';

/** Video codecs by name ("VP8") that this browser and the platform have in common. */
export interface SupportedCodecs {
  videoEncoders: string[];
  videoDecoders: string[];
}

/** Answer of `OT.checkScreenSharingCapability`. */
export interface ScreenSharingCapability {
  supported: boolean;
}

/** What the media servers carry. */
const CARRIED_CODECS: ReadonlySet<string> = new Set(['VP8', 'VP9', 'H264', 'AV1']);

/** 1 when this browser can take part, else 0. */
export function checkSystemRequirements(): 0 | 1 {
  return typeof RTCPeerConnection === 'function' && typeof WebSocket === 'function' ? 1 : 0;
}

/** Says in the console what a browser that cannot take part lacks; nothing else helps there. */
export function upgradeSystemRequirements(): void {
  if (checkSystemRequirements() === 1) return;
  log.error('This browser lacks WebRTC: take a current Chrome, Edge, Firefox or Safari.');
}

/** Whether this browser can share a screen. No extension is needed anywhere. */
export function checkScreenSharingCapability(completion: (answer: ScreenSharingCapability) => void): void {
  const supported = typeof globalThis.navigator?.mediaDevices?.getDisplayMedia === 'function';
  queueMicrotask(() => completion({ supported }));
}

function codecNames(capabilities: RTCRtpCapabilities | null): string[] {
  const names = (capabilities?.codecs ?? []).map(({ mimeType }) =>
    mimeType.replace(/^video\//i, '').toUpperCase(),
  );
  return [...new Set(names)].filter((name) => CARRIED_CODECS.has(name));
}

/** Fails with OT_UNSUPPORTED_BROWSER where there is no WebRTC. */
export function getSupportedCodecs(): Promise<SupportedCodecs> {
  if (typeof RTCRtpSender !== 'function' || typeof RTCRtpReceiver !== 'function') {
    return Promise.reject(otError('OT_UNSUPPORTED_BROWSER'));
  }
  return Promise.resolve({
    videoEncoders: codecNames(RTCRtpSender.getCapabilities('video')),
    videoDecoders: codecNames(RTCRtpReceiver.getCapabilities('video')),
  });
}

/** False: this SDK has no media processors. */
export const hasMediaProcessorSupport = withPromise(
  (): boolean => false,
  () => Promise.resolve(false),
);

/** False: media servers repeat and route what they can read. */
export const hasEndToEndEncryptionSupport = (): boolean => false;

/** Fails with OT_NOT_SUPPORTED: the platform takes no reports from pages. */
export function reportIssue(completion?: Completion<string>): void {
  const refused = otError('OT_NOT_SUPPORTED', 'The platform takes no reports from pages.');
  complete(Promise.reject<string>(refused), completion, 'OT_NOT_SUPPORTED');
}
