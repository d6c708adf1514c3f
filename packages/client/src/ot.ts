import { setApiUrl, apiUrl } from './apiUrl.js';
import { otError } from './errors.js';
import type { Completion } from './events/completion.js';
import { exceptions, reported } from './events/exceptions.js';
import type { ExceptionEvent } from './events/exceptions.js';
import { withPromise } from './events/withPromise.js';
import { LOG_LEVELS, logLine, setLogLevel } from './log.js';
import { getDevices } from './media/devices.js';
import type { PublisherProperties } from './media/properties.js';
import { getUserMedia } from './media/sources.js';
import * as support from './media/support.js';
import { Publisher } from './publisher/publisher.js';
import type { SessionOptions } from './session/options.js';
import { Session } from './session/session.js';
import { SDK_VERSION } from './version.js';
import * as audioOutput from './view/audioOutput.js';
import { unblockAll } from './view/playback.js';
import type { WidgetTarget } from './view/widget.js';

/**
 * Makes a session object; `session.connect` joins.
 * @throws OTError OT_INVALID_PARAMETER without an API key or session id; OT_NOT_SUPPORTED with an `encryptionSecret`:
 * what was meant to be secret would travel in the clear
 */
function initSession(apiKey: string | number, sessionId: string, options: SessionOptions = {}): Session {
  if (String(apiKey ?? '') === '' || typeof sessionId !== 'string' || sessionId === '') {
    throw otError('OT_INVALID_PARAMETER', 'initSession takes an API key and a session id.');
  }
  if ((options as { encryptionSecret?: unknown }).encryptionSecret !== undefined) {
    throw otError('OT_NOT_SUPPORTED', 'There is no end-to-end encryption.');
  }
  return new Session(String(apiKey), sessionId, options, apiUrl);
}

type InitPublisherArguments = [
  target?: WidgetTarget | PublisherProperties | Completion,
  properties?: PublisherProperties | Completion,
  completion?: Completion,
];

const isTarget = (value: unknown): value is WidgetTarget =>
  typeof value === 'string' || (typeof HTMLElement === 'function' && value instanceof HTMLElement);

/** Every part may be left out, as in OpenTok.js; a null target is none. */
function readArguments(given: InitPublisherArguments): {
  target: WidgetTarget | undefined;
  properties: PublisherProperties;
  completion: Completion | undefined;
} {
  const [first] = given;
  const target = isTarget(first) ? first : undefined;
  const completion = given.find((value) => typeof value === 'function');
  const properties = given.find(
    (value): value is PublisherProperties => typeof value === 'object' && value !== null && !isTarget(value),
  );
  return { target, properties: properties ?? {}, completion };
}

const initPublisher = withPromise(
  (...given: InitPublisherArguments): Publisher => {
    const { target, properties, completion } = readArguments(given);
    return new Publisher(target, properties, completion);
  },
  async (...given: InitPublisherArguments): Promise<Publisher> => {
    const { target, properties } = readArguments(given);
    const publisher = new Publisher(target, properties);
    try {
      await publisher.ready();
    } catch (error) {
      // Nobody else could take its element away.
      publisher.destroy();
      throw error;
    }
    return publisher;
  },
);

type ExceptionListener = (event: ExceptionEvent) => void;

/** The SDK's door, the global `OT` of the bundle. */
export const OT = {
  /** Version of the SDK. */
  VERSION: SDK_VERSION,
  ...LOG_LEVELS,
  initSession,
  /** Opens camera and microphone (or takes tracks) and shows them; `session.publish` sends them. */
  initPublisher,
  setApiUrl,
  getDevices,
  getUserMedia: (properties?: PublisherProperties) => reported(getUserMedia(properties)),
  getAudioOutputDevices: audioOutput.getAudioOutputDevices,
  getActiveAudioOutputDevice: audioOutput.getActiveAudioOutputDevice,
  setAudioOutputDevice: (deviceId: string) => reported(audioOutput.setAudioOutputDevice(deviceId)),
  checkSystemRequirements: support.checkSystemRequirements,
  upgradeSystemRequirements: support.upgradeSystemRequirements,
  checkScreenSharingCapability: support.checkScreenSharingCapability,
  getSupportedCodecs: () => reported(support.getSupportedCodecs()),
  hasMediaProcessorSupport: support.hasMediaProcessorSupport,
  hasEndToEndEncryptionSupport: support.hasEndToEndEncryptionSupport,
  reportIssue: support.reportIssue,
  setLogLevel,
  log: logLine,
  /** Starts the sound that autoplay rules hold back; call it from a click. */
  unblockAudio: unblockAll,
  /** Hears of every error that a callback or promise gave to the page. */
  on: (name: 'exception', listener: ExceptionListener, context?: unknown): void =>
    void exceptions.on(name, listener, context),
  once: (name: 'exception', listener: ExceptionListener, context?: unknown): void =>
    void exceptions.once(name, listener, context),
  off: (name?: 'exception', listener?: ExceptionListener, context?: unknown): void =>
    void exceptions.off(name, listener, context),
};
