/** Samples looked at for one level: 21 ms at 48 kHz (Web Audio wants a power of two). */
const SAMPLES = 1_024;

interface Tap {
  readonly track: MediaStreamTrack;
  readonly context: AudioContext;
  readonly analyser: AnalyserNode;
}

/** Level of a local track while nothing sends it: what a page shows before it publishes. */
export class LocalAudioLevel {
  readonly #samples = new Float32Array(SAMPLES);
  #tap: Tap | undefined;

  /** The largest sample of the last moment, 0 to 1; undefined without a track, or where there is no Web Audio. */
  read(track: MediaStreamTrack | undefined): number | undefined {
    if (this.#tap?.track !== track) this.#listen(track);
    if (this.#tap === undefined) return undefined;
    this.#tap.analyser.getFloatTimeDomainData(this.#samples);
    return this.#samples.reduce((level, sample) => Math.max(level, Math.min(1, Math.abs(sample))), 0);
  }

  close(): void {
    this.#tap?.context.close().catch(() => undefined);
    this.#tap = undefined;
  }

  #listen(track: MediaStreamTrack | undefined): void {
    this.close();
    if (track === undefined || typeof AudioContext !== 'function') return;
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = SAMPLES;
    // Connected to nothing behind it: nobody hears himself.
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    this.#tap = { track, context, analyser };
  }
}
