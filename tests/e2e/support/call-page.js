/* global OT */
// Runs in the browser: one participant, and the means to measure what it sees. Loaded after the SDK.
const call = {
  session: null,
  publisher: null,
  subscribers: new Map(),
  /** One entry for each presented frame: [subscriber stream id, time ms, presentedFrames]. */
  frames: [],
  events: [],
  reports: [],
  /** Transports that died with their node, as the SDK reported them. */
  losses: [],
};
window.call = call;

function note(name, detail) {
  call.events.push({ atMs: performance.now(), name, detail });
}

function watchFrames(streamId, video) {
  const onFrame = (_now, metadata) => {
    call.frames.push([streamId, performance.now(), metadata.presentedFrames]);
    video.requestVideoFrameCallback(onFrame);
  };
  video.requestVideoFrameCallback(onFrame);
}

/** A tone that can be silenced; after it nothing but zeros is heard. */
function toneTrack() {
  const context = new AudioContext();
  const oscillator = new OscillatorNode(context, { frequency: 440 });
  const volume = new GainNode(context, { gain: 0.5 });
  const sink = new MediaStreamAudioDestinationNode(context);
  oscillator.connect(volume).connect(sink);
  oscillator.start();
  call.sound = (isOn) => volume.gain.setValueAtTime(isOn ? 0.5 : 0, context.currentTime);
  return sink.stream.getAudioTracks()[0];
}

/** A drawing that changes with each frame. */
function drawingTrack() {
  const canvas = document.createElement('canvas');
  canvas.width = 640;
  canvas.height = 360;
  const context = canvas.getContext('2d');
  let frame = 0;
  setInterval(() => {
    frame += 1;
    context.fillStyle = '#fff';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = '#000';
    context.font = '40px sans-serif';
    context.fillText(`line ${frame}`, 20 + (frame % 100), 100 + (frame % 200));
  }, 1000 / 30);
  return canvas.captureStream(30).getVideoTracks()[0];
}

/** Tracks cannot be passed into a page, so a test names them. */
const TRACKS = { tone: toneTrack, drawing: drawingTrack };

function withTracks({ audioTrack, videoTrack, ...properties }) {
  return {
    ...properties,
    ...(audioTrack && { audioSource: TRACKS[audioTrack]() }),
    ...(videoTrack && { videoSource: TRACKS[videoTrack]() }),
  };
}

/** Shows a stream of somebody else. */
function show(stream) {
  const subscriber = call.session.subscribe(stream, undefined, { insertMode: 'append' }, (error) => {
    if (error) note('subscribeError', { name: error.name, message: error.message });
  });
  call.subscribers.set(stream.streamId, subscriber);
  subscriber.on('videoElementCreated', ({ element }) => watchFrames(stream.streamId, element));
}

let hidden = [];

/** Unsubscribes from everything, and forgets which frames it showed. */
call.hideAll = () => {
  const subscribers = [...call.subscribers.values()];
  hidden = subscribers.map(({ stream }) => stream);
  for (const subscriber of subscribers) call.session.unsubscribe(subscriber);
  call.subscribers.clear();
  call.frames = [];
};

/** Subscribes to what `hideAll` hid. */
call.showAgain = () => {
  for (const stream of hidden.splice(0)) show(stream);
};

/** What was noted so far is nobody's concern any more: a page that runs for long keeps nothing of it. */
call.forget = () => {
  call.frames = [];
  call.reports = [];
};

/** Resolves with the stream's id. */
call.publish = (properties) =>
  new Promise((resolve, reject) => {
    const fail = ({ name, message }) => reject(new Error(`${name}: ${message}`));
    const publisher = OT.initPublisher(
      undefined,
      { insertMode: 'append', ...withTracks(properties) },
      (failure) => failure && fail(failure),
    );
    call.publisher = publisher;
    call.session.publish(publisher, (failure) => {
      if (failure) fail(failure);
      else resolve(publisher.stream.streamId);
    });
  });

call.unpublish = () => {
  call.session.unpublish(call.publisher);
  call.publisher = null;
};

call.leave = () => call.session.disconnect();

call.join = ({ apiUrl, apiKey, sessionId, token, options, publish, countsKeyFrames }) =>
  new Promise((resolve, reject) => {
    if (countsKeyFrames) setTimeout(lookAtKeyFrames, KEY_FRAME_LOOK_MS);
    OT.setApiUrl(apiUrl);
    const session = OT.initSession(apiKey, sessionId, options);
    call.session = session;
    for (const name of [
      'sessionReconnecting',
      'sessionReconnected',
      'sessionDestroyed',
      'sessionDisconnected',
    ]) {
      session.on(name, (event) => note(name, { reason: event.reason }));
    }
    session.on('transportReplaced', ({ report }) => {
      note('transportReplaced', {});
      call.losses.push(report);
    });
    session.on('connectionDestroyed', (event) =>
      note('connectionDestroyed', { id: event.connection.connectionId }),
    );
    session.on('streamDestroyed', (event) => {
      note('streamDestroyed', { id: event.stream.streamId, reason: event.reason });
      call.subscribers.delete(event.stream.streamId);
    });
    session.on('streamPropertyChanged', ({ changedProperty, newValue }) =>
      note('streamPropertyChanged', { changedProperty, newValue }),
    );
    session.on('signal', (event) => note('signal', { type: event.type, data: event.data }));
    session.on('migrationMeasured', (event) => call.reports.push(event.report));
    session.on('streamCreated', (event) => {
      note('streamCreated', { id: event.stream.streamId });
      show(event.stream);
    });
    session.connect(token, (error) => {
      if (error) {
        reject(new Error(`${error.name} ${error.code}: ${error.message}`));
        return;
      }
      const { connectionId } = session.connection;
      if (publish === false) resolve({ connectionId });
      else call.publish(publish).then((streamId) => resolve({ connectionId, streamId }), reject);
    });
  });

const INBOUND = [
  'retransmittedPacketsReceived',
  'packetsReceived',
  'packetsLost',
  'pliCount',
  'nackCount',
  'keyFramesDecoded',
  'freezeCount',
  'concealedSamples',
  'framesDecoded',
];

/** The VP8 encoder of Chromium and Firefox makes a key frame by itself after so many frames. */
const KEY_FRAME_PERIOD = 3000;
/** Some frames pass between two looks at the counters, and some are dropped before the encoder counts them. */
const KEY_FRAME_SLACK = 150;
const KEY_FRAME_LOOK_MS = 1000;

/** Counts key frames of one stream that nobody asked for: each a period after the one before. */
function periodicKeyFrames() {
  let seen = { keyFrames: 0, atFrame: 0, periodic: 0 };
  return (keyFrames, frames) => {
    if (keyFrames > seen.keyFrames) {
      const isPeriodic =
        keyFrames === seen.keyFrames + 1 &&
        Math.abs(frames - seen.atFrame - KEY_FRAME_PERIOD) <= KEY_FRAME_SLACK;
      seen = { keyFrames, atFrame: frames, periodic: seen.periodic + (isPeriodic ? 1 : 0) };
    }
    return seen.periodic;
  };
}

const periodicSent = periodicKeyFrames();
/** By id of the inbound stream. */
const periodicReceived = new Map();

function countReceived({ id, keyFramesDecoded, framesDecoded }) {
  if (!periodicReceived.has(id)) periodicReceived.set(id, periodicKeyFrames());
  return periodicReceived.get(id)(keyFramesDecoded ?? 0, framesDecoded ?? 0);
}

async function sentVideo() {
  const reports = (await call.publisher?.getRtcStatsReport()) ?? [];
  return reports
    .flatMap(({ rtcStatsReport }) => [...rtcStatsReport.values()])
    .filter(({ type, kind }) => type === 'outbound-rtp' && kind === 'video');
}

async function receivedVideo() {
  const reports = await Promise.all([...call.subscribers.values()].map((each) => each.getRtcStatsReport()));
  return reports
    .flatMap((report) => [...report.values()])
    .filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
}

/** One look begins after the one before has ended: where there are many streams, a look may take longer than the pause. */
async function lookAtKeyFrames() {
  try {
    for (const entry of await sentVideo()) {
      periodicSent(entry.keyFramesEncoded ?? 0, entry.framesEncoded ?? 0);
    }
    (await receivedVideo()).forEach(countReceived);
  } finally {
    setTimeout(lookAtKeyFrames, KEY_FRAME_LOOK_MS);
  }
}

/** Sums over all subscribers, and the publisher's own counters. */
call.counters = async () => {
  const sums = { receivers: 0 };
  for (const subscriber of call.subscribers.values()) {
    const stats = await subscriber.getRtcStatsReport();
    for (const entry of stats.values()) {
      if (entry.type !== 'inbound-rtp') continue;
      sums.receivers += 1;
      if (entry.kind === 'video')
        sums['video.periodicKeyFrames'] = (sums['video.periodicKeyFrames'] ?? 0) + countReceived(entry);
      for (const key of INBOUND) {
        if (entry[key] !== undefined)
          sums[`${entry.kind}.${key}`] = (sums[`${entry.kind}.${key}`] ?? 0) + entry[key];
      }
    }
  }
  if (call.publisher) {
    for (const { rtcStatsReport } of await call.publisher.getRtcStatsReport()) {
      for (const entry of rtcStatsReport.values()) {
        if (entry.type === 'transport') {
          sums.dtlsState = entry.dtlsState;
          sums.srtpCipher = entry.srtpCipher;
        }
        if (entry.type !== 'outbound-rtp' || entry.kind !== 'video') continue;
        sums.periodicKeyFrames = periodicSent(entry.keyFramesEncoded ?? 0, entry.framesEncoded ?? 0);
        for (const key of [
          'keyFramesEncoded',
          'pliCount',
          'nackCount',
          'framesEncoded',
          'retransmittedPacketsSent',
        ]) {
          sums[`sent.${key}`] = (sums[`sent.${key}`] ?? 0) + (entry[key] ?? 0);
        }
        sums.targetBitrate = entry.targetBitrate;
      }
    }
  }
  return sums;
};

/** Largest time between two presented frames, per stream, between two times of this page's clock. */
call.frameGaps = (fromMs, toMs) => {
  const last = new Map();
  const gaps = {};
  for (const [streamId, atMs] of call.frames) {
    if (atMs < fromMs || atMs > toMs) continue;
    const before = last.get(streamId);
    if (before !== undefined) gaps[streamId] = Math.max(gaps[streamId] ?? 0, atMs - before);
    last.set(streamId, atMs);
  }
  return gaps;
};

/** Packets lost of one received stream. */
call.lostOf = async (streamId) => {
  const stats = await call.subscribers.get(streamId).getRtcStatsReport();
  return [...stats.values()]
    .filter(({ type }) => type === 'inbound-rtp')
    .reduce((sum, { packetsLost }) => sum + (packetsLost ?? 0), 0);
};

/** The client's ICE user fragment: another one means that a new ICE generation has begun. */
call.iceFragment = async () => {
  for (const { rtcStatsReport } of await call.publisher.getRtcStatsReport()) {
    for (const entry of rtcStatsReport.values()) {
      if (entry.type === 'transport') return entry.iceLocalUsernameFragment;
    }
  }
  return undefined;
};

/** MIME types of everything that is received now. */
call.receivedCodecs = async () => {
  const names = new Set();
  for (const subscriber of call.subscribers.values()) {
    const stats = await subscriber.getRtcStatsReport();
    for (const entry of stats.values()) {
      if (entry.type === 'inbound-rtp' && entry.codecId) names.add(stats.get(entry.codecId).mimeType);
    }
  }
  return [...names];
};

/** What is sent now, by kind: MIME type, and what the encoder takes a picture for. */
call.sent = async () => {
  const kinds = {};
  for (const { rtcStatsReport } of await call.publisher.getRtcStatsReport()) {
    for (const entry of rtcStatsReport.values()) {
      if (entry.type !== 'outbound-rtp' || !entry.codecId) continue;
      const { mimeType } = rtcStatsReport.get(entry.codecId);
      kinds[entry.kind] = { mimeType, contentType: entry.contentType };
    }
  }
  return kinds;
};

/** Of the streams that are received. */
call.videoTypes = () => [...call.subscribers.values()].map(({ stream }) => stream.videoType);

call.mute = (muted) => {
  call.publisher.publishAudio(!muted);
  call.publisher.publishVideo(!muted);
};
