import type { Encoding } from '../connection/transceivers.js';
import { otError } from '../errors.js';
import { BITS_PER_PIXEL_SAVING, BITS_PER_PIXEL_SAVING_MORE } from '../limits.js';
import type { VideoSize } from '../media/properties.js';

/** What the video may spend: as much as the browser likes, less, or much less. */
export type VideoBitratePreset = 'default' | 'bw_saver' | 'extra_bw_saver';

const BITS_PER_PIXEL: Record<VideoBitratePreset, number | undefined> = {
  default: undefined,
  bw_saver: BITS_PER_PIXEL_SAVING,
  extra_bw_saver: BITS_PER_PIXEL_SAVING_MORE,
};

const isPositive = (value: number): boolean => Number.isFinite(value) && value > 0;

/** How a publisher's pictures are to be encoded. Setters throw OTError OT_INVALID_PARAMETER. */
export class VideoWishes {
  #preset: VideoBitratePreset | undefined = 'default';
  #maxBitrateBps: number | undefined;
  #frameRate: number | undefined;
  #size: VideoSize | undefined;

  constructor(maxBitrateBps: number | undefined) {
    if (maxBitrateBps !== undefined) this.setMaxBitrate(maxBitrateBps);
  }

  /** Undefined when a number of bits is set instead. */
  get preset(): VideoBitratePreset | undefined {
    return this.#preset;
  }

  setPreset(preset: VideoBitratePreset): void {
    if (!Object.hasOwn(BITS_PER_PIXEL, preset)) {
      throw otError('OT_INVALID_PARAMETER', `A preset is one of ${Object.keys(BITS_PER_PIXEL).join(', ')}.`);
    }
    this.#preset = preset;
    this.#maxBitrateBps = undefined;
  }

  setMaxBitrate(bitrateBps: number): void {
    if (!isPositive(bitrateBps)) throw otError('OT_INVALID_PARAMETER', 'A bitrate is a positive number.');
    this.#preset = undefined;
    this.#maxBitrateBps = bitrateBps;
  }

  setFrameRate(framesPerSecond: number | null): void {
    if (framesPerSecond !== null && !isPositive(framesPerSecond)) {
      throw otError('OT_INVALID_PARAMETER', 'A frame rate is a positive number, or null.');
    }
    this.#frameRate = framesPerSecond ?? undefined;
  }

  setSize(size: VideoSize | null): void {
    if (size !== null && !(isPositive(size.width) && isPositive(size.height))) {
      throw otError('OT_INVALID_PARAMETER', 'A resolution has a width and a height, or is null.');
    }
    this.#size = size ?? undefined;
  }

  /** Bits per second at most; undefined when only the browser bounds them. */
  maxBitrateBps(captured: VideoSize): number | undefined {
    const bitsPerPixel = this.#preset && BITS_PER_PIXEL[this.#preset];
    if (bitsPerPixel === undefined) return this.#maxBitrateBps;
    const divisor = this.#divisor(captured);
    const pixels = (captured.width * captured.height) / divisor ** 2;
    return pixels > 0 ? Math.round(pixels * bitsPerPixel) : undefined;
  }

  /** What the sender of pictures of that size is told. */
  encoding(captured: VideoSize): Encoding {
    const maxBitrate = this.maxBitrateBps(captured);
    const divisor = this.#divisor(captured);
    return {
      ...(maxBitrate !== undefined && { maxBitrate }),
      ...(this.#frameRate !== undefined && { maxFramerate: this.#frameRate }),
      ...(divisor > 1 && { scaleResolutionDownBy: divisor }),
    };
  }

  /** Pictures keep their shape and are never made larger. */
  #divisor({ width, height }: VideoSize): number {
    if (this.#size === undefined) return 1;
    return Math.max(1, width / this.#size.width, height / this.#size.height);
  }
}
