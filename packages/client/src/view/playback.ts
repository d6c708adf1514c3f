import { log } from '../log.js';
import { followAudioOutput } from './audioOutput.js';

/** Who hears that the browser's autoplay rules hold sound back. */
export interface PlaybackObserver {
  audioBlocked(): void;
  audioUnblocked(): void;
}

const blocked = new Set<Playback>();

/** Tries again to play what autoplay rules held back; call it from a click. */
export async function unblockAll(): Promise<void> {
  await Promise.all([...blocked].map((playback) => playback.unblock()));
}

/** Plays one element. When sound is not allowed yet, the picture runs muted and a first click brings the sound. */
export class Playback {
  readonly #video: HTMLVideoElement;
  readonly #observer: PlaybackObserver;
  readonly #output: { leave(): void } | undefined;
  /** What the page wants, apart from what the browser allows. */
  #muted: boolean;

  constructor(video: HTMLVideoElement, muted: boolean, observer: PlaybackObserver) {
    this.#video = video;
    this.#muted = muted;
    this.#observer = observer;
    video.muted = muted;
    this.#output = muted ? undefined : followAudioOutput(video);
  }

  /** Attaches a stream and plays it. */
  async start(stream: MediaStream): Promise<void> {
    this.#video.srcObject = stream;
    try {
      await this.#video.play();
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotAllowedError' && !this.#muted)
        await this.#block();
      else log.debug('play() was interrupted', error);
    }
  }

  isBlocked(): boolean {
    return blocked.has(this);
  }

  async unblock(): Promise<void> {
    if (!blocked.has(this)) return;
    this.#video.muted = this.#muted;
    try {
      await this.#video.play();
      blocked.delete(this);
      this.#observer.audioUnblocked();
    } catch {
      this.#video.muted = true;
    }
  }

  setMuted(muted: boolean): void {
    this.#muted = muted;
    if (!blocked.has(this)) this.#video.muted = muted;
  }

  stop(): void {
    blocked.delete(this);
    this.#output?.leave();
  }

  async #block(): Promise<void> {
    blocked.add(this);
    this.#video.muted = true;
    document.addEventListener('click', () => void this.unblock(), { once: true });
    this.#observer.audioBlocked();
    await this.#video.play().catch((error: unknown) => log.debug('even muted video may not play', error));
  }
}
