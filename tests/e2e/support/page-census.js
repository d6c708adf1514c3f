// Runs before the SDK in a page: counts what a page holds that no browser interface tells.
const census = { timers: new Set(), intervals: new Set(), peers: [] };
window.census = census;

// In a block: a constant of a script would hide the window's function from the scripts that come later.
{
  const { setTimeout, clearTimeout, setInterval, clearInterval } = window;
  window.setTimeout = (callback, delayMs, ...rest) => {
    const id = setTimeout(
      (...values) => {
        census.timers.delete(id);
        callback(...values);
      },
      delayMs,
      ...rest,
    );
    census.timers.add(id);
    return id;
  };
  window.clearTimeout = (id) => {
    census.timers.delete(id);
    clearTimeout(id);
  };
  window.setInterval = (...values) => {
    const id = setInterval(...values);
    census.intervals.add(id);
    return id;
  };
  window.clearInterval = (id) => {
    census.intervals.delete(id);
    clearInterval(id);
  };
}

window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...values) {
    super(...values);
    census.peers.push(this);
  }
};

/** What this page holds now. */
census.take = async () => {
  const counts = {
    timers: census.timers.size,
    intervals: census.intervals.size,
    peers: census.peers.length,
    candidatePairs: 0,
    localCandidates: 0,
    remoteCandidates: 0,
    statistics: 0,
    sdpChars: 0,
  };
  for (const peer of census.peers) {
    counts.sdpChars += (peer.localDescription?.sdp.length ?? 0) + (peer.remoteDescription?.sdp.length ?? 0);
    for (const { type } of (await peer.getStats()).values()) {
      counts.statistics += 1;
      if (type === 'candidate-pair') counts.candidatePairs += 1;
      else if (type === 'local-candidate') counts.localCandidates += 1;
      else if (type === 'remote-candidate') counts.remoteCandidates += 1;
    }
  }
  return counts;
};

/** User fragment of this page's ICE generation. */
census.iceFragment = () =>
  /^a=ice-ufrag:(.+)$/m.exec(census.peers[0]?.currentLocalDescription?.sdp ?? '')?.[1]?.trim() ?? '';
