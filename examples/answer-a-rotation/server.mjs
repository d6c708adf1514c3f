// The server of a call that answers a rotation by hand. Read `answerRotation` first: the rest is what any
// application has, a page, tokens, and a place where callbacks arrive.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import OpenTok from 'opentok';
import { isGenuine } from './signature.mjs';
import { listenToSessions, sdk } from './platform.mjs';

const { API_KEY, API_SECRET, API_URL = 'http://127.0.0.1:4600', HOST = '127.0.0.1' } = process.env;
const PORT = Number(process.env.PORT ?? 4700);
/** Where the platform reaches this server. */
const CALLBACK_URL = process.env.CALLBACK_URL ?? `http://${HOST}:${PORT}/callbacks`;
/** Callbacks are signed with the project's signature secret, or with its API secret while it has none. */
const SIGNATURE_SECRET = process.env.SIGNATURE_SECRET ?? API_SECRET;
/** The largest callback has some 2 kB. */
const CALLBACK_CHARS_MAX = 65_536;
/** A session that hears of a rotation so soon stands on the best server that there is. */
const TOO_YOUNG_MS = 60_000;

if (!API_KEY || !API_SECRET) {
  console.error('Set API_KEY and API_SECRET; the README says where they are.');
  process.exit(1);
}

const opentok = new OpenTok(API_KEY, API_SECRET, API_URL);
const { createSession, signal } = sdk(opentok);

/** The one room of this example. A real application keeps its rooms, and what was answered, in its database. */
const room = { sessionId: await createSession(), sinceMs: Date.now() };
/** Sessions that the room has had: tokens are given for these and for no other. */
const sessions = new Set([room.sessionId]);
/** By the session that was left: its successor, as soon as that is made. */
const answers = new Map();

/**
 * The servers of a session are to be rotated, and will then disconnect everybody in it. A new session begins on servers
 * that stay: everybody in the old one is told its id, joins it while the old one still runs, and leaves the old one then.
 *
 * When this fails the callback is answered with an error, and the platform sends it again: so it may run twice.
 */
async function answerRotation({ sessionId, remainingTime }) {
  console.log(`rotation in ${remainingTime} s: ${sessionId}`);
  if (sessionId === room.sessionId) {
    if (sessions.size > 1 && Date.now() - room.sinceMs < TOO_YOUNG_MS) return;
    if (!answers.has(sessionId)) answers.set(sessionId, succeed(sessionId));
  }
  // A session of another room, of another application of this project.
  if (!answers.has(sessionId)) return;
  await answers.get(sessionId);
  // After the room has changed: who joins the old session from now on finds the new one by asking for the room. The
  // signal carries no token, because everybody in the session can read it: each page asks for its own.
  await signal(sessionId, { type: 'rotation', data: JSON.stringify({ sessionId: room.sessionId }) });
}

async function succeed(sessionId) {
  try {
    room.sessionId = await createSession();
    room.sinceMs = Date.now();
    sessions.add(room.sessionId);
    console.log(`new session: ${room.sessionId}`);
  } catch (error) {
    // The next attempt makes another one.
    answers.delete(sessionId);
    throw error;
  }
}

/** Answers with a status: 2xx says that the callback is done, anything else asks for it again. */
async function takeCallback(request) {
  const text = await readText(request, CALLBACK_CHARS_MAX);
  if (!(await isGenuine(request.headers.authorization, text, SIGNATURE_SECRET))) return { status: 401 };
  const callback = JSON.parse(text);
  if (callback.event === 'sessionNotification') await answerRotation(callback);
  // Once everybody has moved, the old session ends by itself.
  if (callback.event === 'sessionDestroyed' && sessions.has(callback.sessionId))
    console.log(`ended (${callback.reason}): ${callback.sessionId}`);
  return { status: 204 };
}

/** A token for one person; `person` is who they are in every session. A real application takes that from its login. */
function giveToken({ searchParams }) {
  const sessionId = searchParams.get('session');
  const person = searchParams.get('person')?.slice(0, 64);
  const name = searchParams.get('name')?.slice(0, 64);
  if (!sessions.has(sessionId) || !person) return { status: 404 };
  const token = opentok.generateToken(sessionId, {
    role: 'publisher',
    data: JSON.stringify({ person, name }),
  });
  return json({ apiKey: API_KEY, token });
}

const FILES = {
  '/': ['index.html', 'text/html'],
  '/call.js': ['call.js', 'text/javascript'],
  '/stay.js': ['stay.js', 'text/javascript'],
  '/tiles.js': ['tiles.js', 'text/javascript'],
};

async function answer(request) {
  const url = new URL(request.url, 'http://server');
  if (request.method === 'POST' && url.pathname === '/callbacks') return takeCallback(request);
  if (request.method !== 'GET') return { status: 405 };
  if (url.pathname === '/room') return json({ sessionId: room.sessionId, apiUrl: API_URL });
  if (url.pathname === '/token') return giveToken(url);
  if (url.pathname === '/sdk.js') return { status: 302, headers: { location: `${API_URL}/sdk/godwit.js` } };
  if (!Object.hasOwn(FILES, url.pathname)) return { status: 404 };
  const [file, type] = FILES[url.pathname];
  const body = await readFile(new URL(`public/${file}`, import.meta.url));
  return { status: 200, headers: { 'content-type': type }, body };
}

const json = (value) => ({
  status: 200,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(value),
});

async function readText(request, charsMax) {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request) {
    text += chunk;
    if (text.length > charsMax) throw new Error('the request is too large');
  }
  return text;
}

createServer((request, response) => {
  answer(request)
    .catch((error) => {
      console.error(error.message);
      return { status: 500 };
    })
    .then(({ status, headers, body }) => response.writeHead(status, headers).end(body));
}).listen(PORT, HOST, async () => {
  await listenToSessions(opentok, CALLBACK_URL);
  console.log(`open http://${HOST}:${PORT} in two windows`);
});
