export { simulateRun, type RunOptions, type RunResult } from './scenario.js';
