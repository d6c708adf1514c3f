import { clockMs } from './media-transport.js';
import { Pacer } from './pacer.js';

/** All peers of a process share one wheel. */
export const pacer = new Pacer(clockMs);
