import { TEST_PICTURE_FPS } from '../limits.js';
import { startTicker } from './ticker.js';
import { startTone } from './tone.js';
import type { MediaSource } from './source.js';

const WIDTH = 640;
const HEIGHT = 360;
const SWEEP_MS = 2_000;

export interface TestPictureOptions {
  readonly name: string;
  /** Hue of the picture, degrees; tells two test pictures apart. */
  readonly hue: number;
  readonly toneHz: number;
}

/**
 * A moving picture with a clock, a hand that sweeps once in two seconds and a frame counter: any stutter shows.
 * Drawn by a worker's timer, because `requestAnimationFrame` stops in a hidden tab.
 */
export function createTestPicture(options: TestPictureOptions): MediaSource {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext('2d', { alpha: false });
  let frame = 0;
  const paint = (): void => {
    if (context !== null) draw(context, options, frame, new Date());
    frame += 1;
  };
  paint();
  const stopTicker = startTicker(1000 / TEST_PICTURE_FPS, paint);
  const stream = canvas.captureStream(TEST_PICTURE_FPS);
  const tone = startTone(options.toneHz);
  const video = stream.getVideoTracks()[0] ?? false;
  return {
    kind: 'test-picture',
    video,
    audio: tone.track,
    stop: () => {
      stopTicker();
      tone.stop();
      if (video !== false) video.stop();
    },
  };
}

function draw(
  context: CanvasRenderingContext2D,
  options: TestPictureOptions,
  frame: number,
  now: Date,
): void {
  const turn = (now.getTime() % SWEEP_MS) / SWEEP_MS;
  const ground = context.createLinearGradient(0, 0, WIDTH, HEIGHT);
  ground.addColorStop(0, `hsl(${String(options.hue)} 45% 22%)`);
  ground.addColorStop(1, `hsl(${String(options.hue + 30)} 50% 12%)`);
  context.fillStyle = ground;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  drawSweep(context, options.hue, turn);
  drawBar(context, options.hue, turn);
  context.textBaseline = 'middle';
  context.fillStyle = 'white';
  context.textAlign = 'left';
  context.font = '600 58px ui-monospace, Menlo, Consolas, monospace';
  context.fillText(now.toTimeString().slice(0, 8), 292, 160);
  context.font = '500 24px ui-monospace, Menlo, Consolas, monospace';
  context.fillStyle = `hsl(${String(options.hue)} 70% 82%)`;
  context.fillText(`.${String(now.getMilliseconds()).padStart(3, '0')}   frame ${String(frame)}`, 296, 212);
}

function drawSweep(context: CanvasRenderingContext2D, hue: number, turn: number): void {
  const [x, y, radius] = [150, 172, 92];
  const angle = turn * 2 * Math.PI - Math.PI / 2;
  context.lineWidth = 10;
  context.strokeStyle = `hsl(${String(hue)} 40% 34%)`;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
  context.lineCap = 'round';
  context.strokeStyle = `hsl(${String(hue)} 85% 70%)`;
  context.beginPath();
  context.arc(x, y, radius, angle - 1.1, angle);
  context.stroke();
  context.lineWidth = 5;
  context.strokeStyle = 'white';
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + Math.cos(angle) * (radius - 18), y + Math.sin(angle) * (radius - 18));
  context.stroke();
}

function drawBar(context: CanvasRenderingContext2D, hue: number, turn: number): void {
  const eased = (1 - Math.cos(turn * 2 * Math.PI)) / 2;
  context.fillStyle = `hsl(${String(hue)} 40% 30%)`;
  context.fillRect(0, HEIGHT - 12, WIDTH, 12);
  context.fillStyle = `hsl(${String(hue)} 85% 70%)`;
  context.fillRect(eased * (WIDTH - 90), HEIGHT - 12, 90, 12);
}
