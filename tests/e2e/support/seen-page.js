// Runs in the browser before the page's own scripts: notes what a person sees in a page of tiles, and what its peer
// connections count. It knows of the page that a tile's last video is the one on top, and nothing else.
const seen = {
  /** One entry for each frame that the video on top presented: [time ms, number of the video, mean luma or null]. */
  frames: [],
  /** Looks, one a screen frame, at a tile that had nothing to show, after it had shown something. */
  blanks: 0,
  looks: 0,
  /** Newest counters of each received stream, by peer connection and id. */
  received: new Map(),
};
window.seen = seen;

const peers = [];
const NativePeerConnection = window.RTCPeerConnection;
window.RTCPeerConnection = class extends NativePeerConnection {
  constructor(...options) {
    super(...options);
    peers.push(this);
  }
};

const STATS_INTERVAL_MS = 200;
setInterval(async () => {
  for (const [number, peer] of peers.entries()) {
    if (peer.connectionState === 'closed') continue;
    for (const entry of (await peer.getStats()).values()) {
      if (entry.type === 'inbound-rtp') seen.received.set(`${number}/${entry.id}`, entry);
    }
  }
}, STATS_INTERVAL_MS);

const small = new OffscreenCanvas(8, 8).getContext('2d', { willReadFrequently: true });
function meanLuma(video) {
  small.drawImage(video, 0, 0, 8, 8);
  const { data } = small.getImageData(0, 0, 8, 8);
  let sum = 0;
  for (let at = 0; at < data.length; at += 4)
    sum += 0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2];
  return sum / (data.length / 4);
}

/** Frames after a video has come to the top whose luma is taken: reading them costs what the machine needs for the call. */
const LUMA_FRAMES = 5;

const othersTiles = () => document.querySelectorAll('.tile:not(.me)');
const topOf = (tile) => [...tile.querySelectorAll('video')].at(-1);
let videos = 0;
const watched = new WeakSet();

function watch(video) {
  // A tile and its video are told of one after the other.
  if (watched.has(video)) return;
  watched.add(video);
  const number = videos++;
  let shown = 0;
  const onFrame = () => {
    const tile = video.closest('.tile:not(.me)');
    if (tile !== null && topOf(tile) === video) {
      shown += 1;
      seen.frames.push([performance.now(), number, shown <= LUMA_FRAMES ? meanLuma(video) : null]);
    }
    video.requestVideoFrameCallback(onFrame);
  };
  video.requestVideoFrameCallback(onFrame);
}

new MutationObserver((changes) => {
  for (const node of changes.flatMap(({ addedNodes }) => [...addedNodes])) {
    if (node instanceof HTMLVideoElement) watch(node);
    else if (node instanceof Element) node.querySelectorAll('video').forEach(watch);
  }
}).observe(document, { childList: true, subtree: true });

function look() {
  if (seen.frames.length > 0) {
    const tiles = [...othersTiles()];
    const isBlank = (tile) => (topOf(tile)?.videoWidth ?? 0) === 0 || topOf(tile).readyState < 2;
    seen.looks += 1;
    if (tiles.length === 0 || tiles.some(isBlank)) seen.blanks += 1;
  }
  requestAnimationFrame(look);
}
requestAnimationFrame(look);
