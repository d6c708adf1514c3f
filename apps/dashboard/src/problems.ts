/** Everything that can go wrong on the page, in words, with what to do next. One catalogue. */

export type ProblemCode =
  | 'server-unreachable'
  | 'demo-off'
  | 'no-node'
  | 'sdk-missing'
  | 'connect-failed'
  | 'session-over'
  | 'connection-lost'
  | 'publish-failed'
  | 'one-node'
  | 'move-running'
  | 'move-too-soon'
  | 'move-refused'
  | 'camera-denied'
  | 'camera-missing'
  | 'camera-busy'
  | 'camera-insecure'
  | 'copy-failed'
  | 'link-is-local';

/** What a button beside the message does. */
export type Remedy = 'retry' | 'reload' | 'none';

export interface Problem {
  readonly code: ProblemCode;
  readonly title: string;
  readonly advice: string;
  readonly remedy: Remedy;
}

const catalogue: Record<ProblemCode, Omit<Problem, 'code'>> = {
  'server-unreachable': {
    title: 'The server does not answer',
    advice: 'Check that “npm start” is still running, then try again.',
    remedy: 'retry',
  },
  'demo-off': {
    title: 'The demo is switched off on this server',
    advice: 'Start it with GODWIT_DEMO=true, or open the demo of another server.',
    remedy: 'none',
  },
  'no-node': {
    title: 'No media node is in service',
    advice: 'A node joins within a few seconds of its start. Wait a moment, then try again.',
    remedy: 'retry',
  },
  'sdk-missing': {
    title: 'The SDK could not be loaded',
    advice: 'The server has no /sdk/godwit.js. Build it with “npm run build”, then reload.',
    remedy: 'reload',
  },
  'connect-failed': {
    title: 'The call could not be joined',
    advice: 'The server refused the connection. Try again for a fresh token.',
    remedy: 'retry',
  },
  'session-over': {
    title: 'This session is over',
    advice: 'Join again to start a new one under the same link.',
    remedy: 'retry',
  },
  'connection-lost': {
    title: 'The connection to the server was lost',
    advice: 'Check your network, then join again.',
    remedy: 'retry',
  },
  'publish-failed': {
    title: 'Your picture could not be sent',
    advice: 'You still see the others. Leave and join again to retry.',
    remedy: 'none',
  },
  'one-node': {
    title: 'Only one node is in service',
    advice: 'A move needs somewhere to go. Start another with “godwit node”.',
    remedy: 'none',
  },
  'move-running': {
    title: 'This session is already moving',
    advice: 'Wait until that move has ended.',
    remedy: 'none',
  },
  'move-too-soon': {
    title: 'Too soon after the last move',
    advice: 'The server waits between two moves (GODWIT_MIGRATION_MIN_AGE_SECONDS). Try again in a moment.',
    remedy: 'none',
  },
  'move-refused': {
    title: 'The move was refused',
    advice: 'The call goes on where it is.',
    remedy: 'none',
  },
  'camera-denied': {
    title: 'No permission for camera and microphone',
    advice:
      'A moving test picture and a quiet tone are sent instead. Allow the camera in the address bar, then reload.',
    remedy: 'reload',
  },
  'camera-missing': {
    title: 'No camera found',
    advice: 'A moving test picture and a quiet tone are sent instead.',
    remedy: 'none',
  },
  'camera-busy': {
    title: 'The camera is in use elsewhere',
    advice: 'A moving test picture and a quiet tone are sent instead. Close the other program, then reload.',
    remedy: 'reload',
  },
  'camera-insecure': {
    title: 'Browsers give the camera to HTTPS pages only',
    advice:
      'A moving test picture is sent instead. For other devices start the server with “npm start -- --lan”.',
    remedy: 'none',
  },
  'copy-failed': {
    title: 'The link could not be copied',
    advice: 'Copy the address of this page instead.',
    remedy: 'none',
  },
  'link-is-local': {
    title: 'Copied, but this link works on this computer only',
    advice: 'For other devices start the server with “npm start -- --lan”.',
    remedy: 'none',
  },
};

/** The problem of that code; `detail` (what the server said) is put before the advice. */
export function problem(code: ProblemCode, detail?: string): Problem {
  const entry = catalogue[code];
  const advice = detail === undefined || detail === '' ? entry.advice : `${sentence(detail)} ${entry.advice}`;
  return { code, ...entry, advice };
}

function sentence(text: string): string {
  const trimmed = text.trim().slice(0, 200);
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** The reasons of `sessionDisconnected` (those of OpenTok.js, and serverRotation) as problems; null: the person left. */
export function problemOfDisconnect(reason: string): Problem | null {
  switch (reason) {
    case 'clientDisconnected':
      return null;
    case 'networkDisconnected':
      return problem('connection-lost');
    case 'forceDisconnected':
      return problem('session-over', 'A moderator ended your part in it.');
    case 'serverRotation':
      return problem('session-over', 'Its server was taken out of service.');
    default:
      return problem('session-over');
  }
}

/** What `getUserMedia` threw, by the names of the Media Capture specification. */
export function problemOfCamera(errorName: string): Problem {
  switch (errorName) {
    case 'NotAllowedError':
    case 'SecurityError':
      return problem('camera-denied');
    case 'NotReadableError':
    case 'AbortError':
      return problem('camera-busy');
    case 'InsecureContext':
      return problem('camera-insecure');
    default:
      return problem('camera-missing');
  }
}

/** An HTTP answer of the demo endpoints that is no success. `code` is the body's (15214, 15215, …). */
export function problemOfAnswer(status: number, code: number | string | null, detail: string): Problem {
  if (code === 15214 || code === '15214') return problem('move-running');
  if (code === 15215 || code === '15215') return problem('move-too-soon');
  if (code === 70011 || code === '70011') return problem('one-node');
  if (status === 503) return problem('no-node', detail);
  if (status >= 500) return problem('server-unreachable', detail);
  return problem('move-refused', detail);
}
