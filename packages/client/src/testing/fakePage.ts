import { vi } from 'vitest';

/** A track that tells of its end when the test ends it. */
export class FakeTrack extends EventTarget {
  readonly id = crypto.randomUUID();
  enabled = true;
  stopped = false;
  contentHint = '';
  readonly kind: 'audio' | 'video';
  readonly deviceId: string;

  constructor(kind: 'audio' | 'video', deviceId = `${kind}-1`) {
    super();
    this.kind = kind;
    this.deviceId = deviceId;
  }

  get label(): string {
    return `label of ${this.deviceId}`;
  }
  get readyState(): 'live' | 'ended' {
    return this.stopped ? 'ended' : 'live';
  }
  getSettings(): MediaTrackSettings {
    return { deviceId: this.deviceId, ...(this.kind === 'video' && { width: 640, height: 480 }) };
  }
  stop(): void {
    this.stopped = true;
  }
  /** The device is unplugged. */
  end(): void {
    this.stopped = true;
    this.dispatchEvent(new Event('ended'));
  }
  /** The track as the SDK takes it. */
  get given(): MediaStreamTrack {
    return this as unknown as MediaStreamTrack;
  }
}

export class FakeMediaStream {
  readonly tracks: FakeTrack[];
  constructor(tracks: FakeTrack[] = []) {
    this.tracks = [...tracks];
  }
  getTracks(): FakeTrack[] {
    return this.tracks;
  }
  getVideoTracks(): FakeTrack[] {
    return this.tracks.filter(({ kind }) => kind === 'video');
  }
  addTrack(track: FakeTrack): void {
    if (!this.tracks.includes(track)) this.tracks.push(track);
  }
  removeTrack(track: FakeTrack): void {
    this.tracks.splice(this.tracks.indexOf(track), this.tracks.includes(track) ? 1 : 0);
  }
}

/** An element without a page; what `play` and `setSinkId` say is up to the test. */
export class FakeElement extends EventTarget {
  readonly tagName: string;
  readonly style: Record<string, string> = {};
  readonly children: FakeElement[] = [];
  id = '';
  className = '';
  textContent = '';
  hidden = false;
  muted = false;
  volume = 1;
  srcObject: unknown = null;
  videoWidth = 0;
  videoHeight = 0;
  removed = false;
  sinkId = '';
  refusesPlay: string | undefined;
  refusesSink: string | undefined;
  /** What was drawn on a canvas. */
  drawn: unknown;

  constructor(tagName: string) {
    super();
    this.tagName = tagName.toUpperCase();
  }
  append(...children: FakeElement[]): void {
    this.children.push(...children);
  }
  replaceChildren(...children: FakeElement[]): void {
    this.children.splice(0, this.children.length, ...children);
  }
  before(): void {}
  after(): void {}
  remove(): void {
    this.removed = true;
  }
  play(): Promise<void> {
    const name = this.refusesPlay;
    return name === undefined || this.muted ? Promise.resolve() : Promise.reject(new DOMException('', name));
  }
  setSinkId(deviceId: string): Promise<void> {
    if (this.refusesSink !== undefined) return Promise.reject(new DOMException('', this.refusesSink));
    this.sinkId = deviceId;
    return Promise.resolve();
  }
  getContext(): object {
    return { drawImage: (source: unknown) => (this.drawn = source) };
  }
  toDataURL(): string {
    return `data:image/png;base64,${btoa('picture')}`;
  }
  /** The browser learned the size of the pictures. */
  resize(width: number, height: number): void {
    Object.assign(this, { videoWidth: width, videoHeight: height });
    this.dispatchEvent(new Event('resize'));
  }
}

/** The parts of a page that the SDK touches, with devices that the test plugs in and out. */
export class FakePage {
  readonly elements: FakeElement[] = [];
  /** Called on each element that is made. */
  prepare: (element: FakeElement) => void = () => undefined;
  devices: { kind: MediaDeviceKind; deviceId: string; label: string }[] = [
    { kind: 'audioinput', deviceId: 'audio-1', label: 'Microphone' },
    { kind: 'videoinput', deviceId: 'video-1', label: 'Front' },
    { kind: 'videoinput', deviceId: 'video-2', label: 'Back' },
    { kind: 'audiooutput', deviceId: 'default', label: 'Loudspeakers' },
    { kind: 'audiooutput', deviceId: 'output-2', label: 'Headphones' },
  ];
  /** Constraints that devices were opened with, in order; "screen" for a shared one. */
  readonly asked: (MediaStreamConstraints | 'screen')[] = [];
  /** Tracks that were opened. */
  readonly opened: FakeTrack[] = [];
  /** Name of the DOMException that opening ends with, for devices and for the screen. */
  refuses: { devices?: string; screen?: string } = {};
  permission: PermissionState = 'granted';
  readonly body = new FakeElement('body');
  #click = new EventTarget();

  /** Puts the page in place of the browser's; `vi.unstubAllGlobals` takes it away. */
  install(): this {
    vi.stubGlobal('MediaStream', FakeMediaStream);
    vi.stubGlobal('HTMLElement', FakeElement);
    vi.stubGlobal('document', {
      body: this.body,
      createElement: (tagName: string) => this.#create(tagName),
      getElementById: () => null,
      visibilityState: 'visible',
      addEventListener: this.#click.addEventListener.bind(this.#click),
      removeEventListener: this.#click.removeEventListener.bind(this.#click),
    });
    vi.stubGlobal('window', new EventTarget());
    vi.stubGlobal('location', { origin: 'https://godwit.test' });
    vi.stubGlobal('navigator', {
      permissions: { query: () => Promise.resolve({ state: this.permission }) },
      mediaDevices: {
        enumerateDevices: () => Promise.resolve(this.devices),
        getUserMedia: (constraints: MediaStreamConstraints) => this.#getUserMedia(constraints),
        getDisplayMedia: () => this.#getDisplayMedia(),
      },
    });
    return this;
  }

  /** The newest element of that name. */
  element(tagName: string): FakeElement {
    const found = this.elements.findLast((element) => element.tagName === tagName.toUpperCase());
    if (found === undefined) throw new Error(`no ${tagName} was made`);
    return found;
  }

  #create(tagName: string): FakeElement {
    const element = new FakeElement(tagName);
    this.prepare(element);
    this.elements.push(element);
    return element;
  }

  #getUserMedia(constraints: MediaStreamConstraints): Promise<FakeMediaStream> {
    this.asked.push(constraints);
    if (this.refuses.devices !== undefined) return Promise.reject(new DOMException('', this.refuses.devices));
    const tracks = (['audio', 'video'] as const)
      .filter((kind) => constraints[kind] !== undefined && constraints[kind] !== false)
      .map((kind) => new FakeTrack(kind, exactDevice(constraints[kind])));
    this.opened.push(...tracks);
    return Promise.resolve(new FakeMediaStream(tracks));
  }

  #getDisplayMedia(): Promise<FakeMediaStream> {
    this.asked.push('screen');
    if (this.refuses.screen !== undefined) return Promise.reject(new DOMException('', this.refuses.screen));
    const track = new FakeTrack('video', 'screen');
    this.opened.push(track);
    return Promise.resolve(new FakeMediaStream([track]));
  }
}

function exactDevice(constraints: boolean | MediaTrackConstraints | undefined): string | undefined {
  const deviceId = typeof constraints === 'object' ? constraints.deviceId : undefined;
  return typeof deviceId === 'object' && 'exact' in deviceId ? String(deviceId.exact) : undefined;
}
