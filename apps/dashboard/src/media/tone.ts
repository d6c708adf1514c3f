import { TONE_GAIN } from '../limits.js';

export interface Tone {
  readonly track: MediaStreamTrack | false;
  stop(): void;
}

/**
 * A quiet steady tone: the ear hears the smallest hole in it. Browsers keep it silent until the page was touched
 * once (autoplay policy); it starts with the first click or key.
 */
export function startTone(frequencyHz: number): Tone {
  if (!('AudioContext' in window)) return { track: false, stop: () => undefined };
  const context = new AudioContext();
  const oscillator = new OscillatorNode(context, { frequency: frequencyHz });
  const gain = new GainNode(context, { gain: TONE_GAIN });
  const destination = new MediaStreamAudioDestinationNode(context);
  oscillator.connect(gain).connect(destination);
  oscillator.start();
  const wake = (): void => {
    if (context.state === 'suspended') void context.resume();
  };
  const touched = new AbortController();
  for (const event of ['pointerdown', 'keydown']) {
    window.addEventListener(event, wake, { signal: touched.signal });
  }
  const track = destination.stream.getAudioTracks()[0] ?? false;
  return {
    track,
    stop: () => {
      touched.abort();
      if (track !== false) track.stop();
      if (context.state !== 'closed') void context.close();
    },
  };
}
