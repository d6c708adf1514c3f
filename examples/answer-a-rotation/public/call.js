/* global OT */
// The page of a call that answers a rotation by hand. Read `moveTo` first.
import { Stay } from './stay.js';
import { addVideo } from './tiles.js';

/** Nobody waits longer than this for a page that hangs. */
const LEAVE_AFTER_MS = 30_000;
/** The old session still runs: there is time to try again. */
const RETRY_AFTER_MS = 5_000;

/** Who this page is, in whatever session. */
const me = { person: crypto.randomUUID(), name: '', tracks: {} };
/** The stay that counts; during a move the one that is going to. */
let current;
/** Where the page is or is going to. */
let target;

/**
 * Goes to another session without a break: joins it and publishes there while the old session still runs, shows each
 * person from the new session as soon as their first frame is there, and leaves the old session when nobody needs it
 * any more. Until then both cost bandwidth: every stream is sent and received twice for some seconds.
 */
async function moveTo(sessionId) {
  // Told twice; or while this page still joins, after which it asks by itself.
  if (sessionId === target || current === undefined) return;
  target = sessionId;
  const old = current;
  try {
    current = await enter(sessionId, old);
  } catch (error) {
    console.error(error.message);
    target = old.sessionId;
    setTimeout(catchUp, RETRY_AFTER_MS);
    return;
  }
  say(`Both sessions for a moment: …${old.sessionId.slice(-6)} and …${sessionId.slice(-6)}`);
  // Whom this page still sees in the old session has not come yet, or has not been seen yet.
  await until(old, () => old.shown.size === 0);
  // Whoever has not moved yet still sees this page in the old session: leaving now would take the picture away.
  old.tellMoved();
  await until(old, () => old.isLeft);
  await old.end();
  say(`In session …${sessionId.slice(-6)}`);
}

/** A signal reaches only those who are there when it is sent. */
async function catchUp() {
  const { sessionId } = await get('/room');
  await moveTo(sessionId);
}

async function enter(sessionId, former) {
  const { apiKey, token } = await get('/token', { session: sessionId, person: me.person, name: me.name });
  const stay = new Stay();
  stay.onRotation = (successor) => (successor === null ? catchUp() : moveTo(successor));
  try {
    await stay.begin({ sessionId, apiKey, token, former, ...me });
    return stay;
  } catch (error) {
    stay.end();
    throw error;
  }
}

/** Resolves when the condition holds, looked at whenever the stay changes, or when it has taken too long. */
function until(stay, condition) {
  return new Promise((resolve) => {
    const look = () => {
      if (condition()) resolve();
    };
    stay.onChange = look;
    setTimeout(resolve, LEAVE_AFTER_MS);
    look();
  });
}

async function join(name) {
  const media = await OT.getUserMedia({ resolution: '640x480' });
  const [audio, video] = [media.getAudioTracks()[0], media.getVideoTracks()[0]];
  Object.assign(me, { name, tracks: { audio, video } });
  showMyself(media);
  const { sessionId, apiUrl } = await get('/room');
  OT.setApiUrl(apiUrl);
  target = sessionId;
  current = await enter(sessionId);
  say(`In session …${sessionId.slice(-6)}`);
  // It may have been left while this page was joining it.
  await catchUp();
}

function showMyself(media) {
  const video = document.createElement('video');
  Object.assign(video, { srcObject: media, muted: true, playsInline: true, autoplay: true });
  addVideo(me.person, `${me.name} (you)`, video);
  video.parentElement.classList.add('me');
}

async function get(path, query = {}) {
  const response = await fetch(`${path}?${new URLSearchParams(query)}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

function say(text) {
  document.getElementById('status').textContent = text;
}

document.getElementById('join').addEventListener('submit', (event) => {
  event.preventDefault();
  event.target.hidden = true;
  join(new FormData(event.target).get('name')).catch((error) => {
    say(error.message);
    event.target.hidden = false;
  });
});
