import { setApiUrl, apiUrl } from './apiUrl.js';
import { otError } from './errors.js';
import type { Completion } from './events/completion.js';
import { LOG_LEVELS, setLogLevel } from './log.js';
import { checkSystemRequirements, getDevices } from './media/devices.js';
import type { PublisherProperties } from './media/properties.js';
import { Publisher } from './publisher/publisher.js';
import type { SessionOptions } from './session/options.js';
import { Session } from './session/session.js';
import { withPromise } from './session/withPromise.js';
import { SDK_VERSION } from './version.js';
import { unblockAll } from './view/playback.js';
import type { WidgetTarget } from './view/widget.js';

/**
 * Makes a session object; `session.connect` joins.
 * @throws OTError OT_INVALID_PARAMETER without an API key or session id
 */
function initSession(apiKey: string | number, sessionId: string, options: SessionOptions = {}): Session {
  if (String(apiKey ?? '') === '' || typeof sessionId !== 'string' || sessionId === '') {
    throw otError('OT_INVALID_PARAMETER', 'initSession takes an API key and a session id.');
  }
  return new Session(String(apiKey), sessionId, options, apiUrl);
}

type InitPublisherArguments = [
  target?: WidgetTarget | PublisherProperties | Completion,
  properties?: PublisherProperties | Completion,
  completion?: Completion,
];

const isTarget = (value: unknown): value is WidgetTarget =>
  typeof value === 'string' || value instanceof HTMLElement;

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
  async (target?: WidgetTarget, properties: PublisherProperties = {}): Promise<Publisher> => {
    const publisher = new Publisher(target, properties);
    await publisher.ready();
    return publisher;
  },
);

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
  checkSystemRequirements,
  setLogLevel,
  /** Starts the sound that autoplay rules hold back; call it from a click. */
  unblockAudio: unblockAll,
};
