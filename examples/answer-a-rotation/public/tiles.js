// One tile a person, whatever sessions their video comes from.
const tiles = document.getElementById('tiles');
/** By person. */
const tileOf = new Map();

/** Puts a video into the person's tile, beneath the one that is seen: it plays there, unseen, until it is uncovered. */
export function addVideo(person, name, video) {
  let tile = tileOf.get(person);
  if (tile === undefined) {
    tile = document.createElement('figure');
    tile.className = 'tile';
    tile.append(Object.assign(document.createElement('figcaption'), { textContent: name }));
    tiles.append(tile);
    tileOf.set(person, tile);
  }
  tile.prepend(video);
}

/** Takes a video away, and the tile when it was the last one in it. The one beneath is seen in the same frame. */
export function removeVideo(person, video) {
  video.remove();
  const tile = tileOf.get(person);
  if (tile === undefined || tile.querySelector('video') !== null) return;
  tile.remove();
  tileOf.delete(person);
}

/** Resolves once the element has shown a frame: from then on it is not black. */
export function firstFrame(video) {
  return new Promise((resolve) => {
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(resolve);
    else video.addEventListener('timeupdate', resolve, { once: true });
  });
}
