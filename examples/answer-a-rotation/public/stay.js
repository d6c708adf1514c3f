/* global OT */
// One stay in one session. During a rotation a page has two of them: one that it leaves, one that it goes to.
import { addVideo, firstFrame, removeVideo } from './tiles.js';

export class Stay {
  sessionId;
  session;
  /** Whom this stay shows: subscriber and video by person. */
  shown = new Map();
  /** The other connections of the session, and those among them that have moved on to the next session. */
  others = new Set();
  moved = new Set();
  /** Called when one of these changes. */
  onChange = () => {};
  /** Called with the id of the session that takes the place of this one. */
  onRotation = () => {};
  #hasMoved = false;

  /** Joins, publishes the tracks and shows the others. `former` is the stay that this one takes the place of, if any. */
  async begin({ sessionId, apiKey, token, tracks, name, former }) {
    this.sessionId = sessionId;
    // Without `sessionMigration`: where all clients can set it, the platform moves the call and this example is not needed.
    this.session = OT.initSession(apiKey, sessionId);
    this.#listen(former);
    await this.session.connect.promise(token);
    // The tracks are the page's. Publishers of both sessions send the same ones: the camera is opened once, and what is
    // captured goes on without a break.
    const publisher = OT.initPublisher(undefined, {
      audioSource: tracks.audio,
      videoSource: tracks.video,
      insertDefaultUI: false,
      name,
    });
    await this.session.publish.promise(publisher);
  }

  /** Tells the others in this session that this page needs it no more. */
  tellMoved() {
    this.#hasMoved = true;
    this.session.signal({ type: 'moved', data: '' });
  }

  /** True when everybody else has moved on, too, or is gone. */
  get isLeft() {
    return [...this.others].every((id) => this.moved.has(id));
  }

  end() {
    return this.session.disconnect();
  }

  #listen(former) {
    const { session } = this;
    const change = (work) => (event) => {
      work(event);
      this.onChange();
    };
    session.on({
      streamCreated: ({ stream }) => this.#show(stream, former),
      streamDestroyed: change(({ stream }) => this.hide(personOf(stream).person, stream)),
      connectionCreated: change(({ connection: { connectionId } }) => {
        if (connectionId === session.connection?.connectionId) return;
        this.others.add(connectionId);
        // Who comes late has not heard it.
        if (this.#hasMoved) this.tellMoved();
      }),
      connectionDestroyed: change(({ connection }) => this.others.delete(connection.connectionId)),
      'signal:moved': change(({ from }) => this.moved.add(from?.connectionId)),
      'signal:rotation': ({ from, data }) => {
        // Only the server says it: a signal of a client has a sender.
        if (from === null) this.onRotation(JSON.parse(data).sessionId);
      },
      // A signal may have been missed meanwhile.
      sessionReconnected: () => this.onRotation(null),
      sessionDisconnected: change(() => {
        this.others.clear();
        for (const person of this.shown.keys()) this.hide(person);
      }),
    });
  }

  /** Shows a stream beneath what the former stay shows of this person, and takes its place with the first frame. */
  #show(stream, former) {
    const { person, name } = personOf(stream);
    const isHeardThere = former?.shown.has(person) ?? false;
    const options = { insertDefaultUI: false, audioVolume: isHeardThere ? 0 : 100 };
    const subscriber = this.session.subscribe(stream, undefined, options, (error) => {
      if (error) console.error(error.message);
    });
    subscriber.on('videoElementCreated', async ({ element: video }) => {
      this.hide(person);
      this.shown.set(person, { subscriber, stream, video });
      addVideo(person, name, video);
      // Who has no camera, or has switched it off, shows no frame.
      if (stream.hasVideo) await firstFrame(video);
      if (this.shown.get(person)?.video !== video) return;
      former?.hide(person);
      subscriber.setAudioVolume(100);
    });
  }

  /** Shows this person no more; `stream`: only if it is this one that was shown. */
  hide(person, stream) {
    const entry = this.shown.get(person);
    if (entry === undefined || (stream !== undefined && stream.streamId !== entry.stream.streamId)) return;
    this.shown.delete(person);
    this.session.unsubscribe(entry.subscriber);
    removeVideo(person, entry.video);
    this.onChange();
  }
}

/** Who publishes a stream: the server has written it into their token. */
const personOf = ({ connection }) => JSON.parse(connection.data);
