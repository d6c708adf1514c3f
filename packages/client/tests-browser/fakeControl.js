/*
 * A control plane and media server in one page, for the SDK's browser test: it replaces WebSocket, answers offers
 * with an RTCPeerConnection of its own, and passes published tracks on to subscribers.
 */
(() => {
  const clients = new Map();
  const streams = new Map();
  const id64 = () =>
    [...crypto.getRandomValues(new Uint8Array(8))].map((b) => b.toString(16).padStart(2, '0')).join('');
  const gathered = (peer) =>
    new Promise((resolve) => {
      if (peer.iceGatheringState === 'complete') resolve();
      peer.addEventListener(
        'icegatheringstatechange',
        () => peer.iceGatheringState === 'complete' && resolve(),
      );
    });

  class FakeClient {
    constructor(socket) {
      this.socket = socket;
      this.seq = 0;
      this.offers = 0;
      this.restarts = 0;
      this.holdOffers = false;
      this.connection = { connectionId: id64(), creationTime: Date.now(), data: '' };
    }
    event(event) {
      this.seq += 1;
      this.socket.deliver({ ...event, seq: this.seq });
    }
    async handle(request) {
      const take = this[request.type];
      const result = take === undefined ? {} : await take.call(this, request);
      if (result !== undefined) this.socket.deliver({ replyTo: request.id, ok: true, result });
    }
    connect(request) {
      this.hello = request;
      for (const client of clients.values())
        client.event({ event: 'connectionCreated', connection: this.connection });
      clients.set(this.connection.connectionId, this);
      return this.joined(false);
    }
    joined(resumed) {
      const capabilities = { publish: 1, subscribe: 1, forceDisconnect: 0, forceUnpublish: 0, forceMute: 0 };
      return {
        connection: this.connection,
        resumeToken: 'resume',
        resumed,
        capabilities,
        connections: [...clients.values()]
          .filter((client) => client !== this)
          .map((client) => client.connection),
        streams: [...streams.values()].filter(({ tracks }) => tracks.size > 0).map(({ info }) => info),
        muteForced: false,
        signals: 0,
        seq: this.seq,
      };
    }
    createStream({ id, type, ...properties }) {
      const streamId = id64();
      const creationTime = Date.now();
      const info = { streamId, connection: this.connection, creationTime, hasCaptions: false, ...properties };
      streams.set(streamId, { info, tracks: new Map(), owner: this });
      return { streamId, creationTime };
    }
    destroyStream({ streamId }) {
      if (!streams.delete(streamId)) return {};
      for (const client of clients.values()) {
        if (client !== this)
          client.event({ event: 'streamDestroyed', streamId, reason: 'clientDisconnected' });
      }
      return {};
    }
    async offer({ sdp, publications, subscriptions }) {
      this.offers += 1;
      const { restarts } = this;
      this.lastOffer = { sdp, publications, subscriptions };
      if (this.holdOffers) await new Promise((resolve) => (this.releaseOffers = resolve));
      this.peer ??= new RTCPeerConnection();
      const { peer } = this;
      // The client rolled this one back for a restart and will make it again: it must not be applied.
      if (restarts !== this.restarts) return { sdp: 'superseded', refused: [] };
      await peer.setRemoteDescription({ type: 'offer', sdp });
      const byMid = (mid) => peer.getTransceivers().find((transceiver) => transceiver.mid === mid);
      for (const { streamId, audioMid, videoMid } of subscriptions) {
        for (const [kind, mid] of [
          ['audio', audioMid],
          ['video', videoMid],
        ]) {
          const track = streams.get(streamId)?.tracks.get(kind);
          if (mid === undefined || track === undefined) continue;
          await byMid(mid).sender.replaceTrack(track);
          byMid(mid).direction = 'sendonly';
        }
      }
      await peer.setLocalDescription();
      await gathered(peer);
      for (const { streamId, audioMid, videoMid } of publications)
        this.received(streamId, byMid, audioMid, videoMid);
      return { sdp: peer.localDescription.sdp, refused: [] };
    }
    received(streamId, byMid, audioMid, videoMid) {
      const stream = streams.get(streamId);
      if (stream === undefined || stream.tracks.size > 0) return;
      if (audioMid !== undefined) stream.tracks.set('audio', byMid(audioMid).receiver.track);
      if (videoMid !== undefined) stream.tracks.set('video', byMid(videoMid).receiver.track);
      for (const client of clients.values()) {
        if (client !== this) client.event({ event: 'streamCreated', stream: stream.info });
      }
    }
    async restart(moveId) {
      const { peer } = this;
      this.restarts += 1;
      await peer.setLocalDescription(await peer.createOffer({ iceRestart: true }));
      await gathered(peer);
      this.event({ event: 'restartOffer', restartId: id64(), moveId, sdp: peer.localDescription.sdp });
      await new Promise((resolve) => (this.restarted = resolve));
    }
    async restartAnswer({ sdp }) {
      await this.peer.setRemoteDescription({ type: 'answer', sdp });
      this.restarted();
      return {};
    }
    signal({ signalType, data }) {
      for (const client of clients.values())
        client.event({ event: 'signal', signalType, data, from: this.connection });
      return {};
    }
    updateStream({ streamId, ...changes }) {
      for (const [changedProperty, newValue] of Object.entries(changes)) {
        if (!['hasAudio', 'hasVideo', 'videoDimensions'].includes(changedProperty)) continue;
        for (const client of clients.values()) {
          client.event({ event: 'streamPropertyChanged', streamId, changedProperty, newValue });
        }
      }
      return {};
    }
    gapReport({ report }) {
      this.report = report;
      return {};
    }
  }

  class FakeWebSocket {
    constructor(url) {
      this.url = url;
      setTimeout(() => this.onopen?.(), 0);
    }
    send(text) {
      const request = JSON.parse(text);
      if (request.type === 'connect') this.client = new FakeClient(this);
      if (request.type === 'resume') {
        this.client = clients.get(request.connectionId);
        this.client.socket = this;
        this.deliver({ replyTo: request.id, ok: true, result: this.client.joined(true) });
        return;
      }
      void this.client.handle(request);
    }
    deliver(message) {
      const data = JSON.stringify(message);
      setTimeout(() => this.onmessage?.({ data }), 0);
    }
    close() {
      this.onmessage = null;
    }
    break() {
      this.onclose?.({ code: 1006, reason: '' });
    }
  }

  window.WebSocket = FakeWebSocket;
  window.fakeControl = { clients, streams };
})();
