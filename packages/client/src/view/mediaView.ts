import type { VideoSize } from '../media/properties.js';
import type { WidgetStyle } from './look.js';
import { Playback } from './playback.js';
import type { PlaybackObserver } from './playback.js';
import { stillOf } from './still.js';
import { createWidget } from './widget.js';
import type { Widget, WidgetProperties, WidgetTarget } from './widget.js';

/** Who is in the view, and where it goes. */
export interface ViewSubject {
  role: 'publisher' | 'subscriber';
  id: string;
  target: WidgetTarget | undefined;
  /** Shown in the view; "" for none. */
  name: string;
}

export interface ViewObserver extends PlaybackObserver {
  /** The pictures have another size. */
  resized(oldValue: VideoSize, newValue: VideoSize): void;
}

/** What one publisher or subscriber shows and plays in the page. A publisher's own sound is never played. */
export class MediaView {
  readonly #widget: Widget;
  readonly #playback: Playback;
  readonly #observer: ViewObserver;
  #size: VideoSize = { width: 0, height: 0 };

  /** @throws OTError OT_INVALID_PARAMETER when the target does not exist */
  constructor(subject: ViewSubject, properties: WidgetProperties, observer: ViewObserver) {
    const { role, id, target, name } = subject;
    this.#observer = observer;
    this.#widget = createWidget(role, id, target, properties, name);
    this.#playback = new Playback(this.video, role === 'publisher', observer);
    this.video.addEventListener('resize', () => this.#resized());
  }

  /** The container; undefined with `insertDefaultUI: false`. */
  get element(): HTMLElement | undefined {
    return this.#widget.element;
  }

  get video(): HTMLVideoElement {
    return this.#widget.video;
  }

  /** Size of the pictures, pixels; 0 by 0 until there are some. */
  get size(): VideoSize {
    return this.#size;
  }

  get style(): WidgetStyle {
    return this.#widget.look.style;
  }

  /** Takes a style, or one name and its value. */
  setStyle(style: Partial<WidgetStyle> | keyof WidgetStyle, value?: string): void {
    this.#widget.look.set(style, value);
  }

  play(stream: MediaStream): void {
    void this.#playback.start(stream);
  }

  /** Whether autoplay rules hold the sound back. */
  isBlocked(): boolean {
    return this.#playback.isBlocked();
  }

  /** Shows the pictures, or what is behind them. */
  showVideo(visible: boolean): void {
    this.#widget.look.showVideo(visible);
  }

  mirror(mirrored: boolean): void {
    this.video.style.transform = mirrored ? 'scaleX(-1)' : '';
  }

  /** The picture of now as PNG in base64; null while there is none. */
  still(): string | null {
    return stillOf(this.video);
  }

  /** Plays nothing any more; takes the elements out of the page unless `keepElement`. */
  end(keepElement = false): void {
    this.#playback.stop();
    if (!keepElement) this.#widget.remove();
  }

  #resized(): void {
    const { videoWidth: width, videoHeight: height } = this.video;
    const oldValue = this.#size;
    if (oldValue.width === width && oldValue.height === height) return;
    this.#size = { width, height };
    this.#observer.resized(oldValue, this.#size);
  }
}
