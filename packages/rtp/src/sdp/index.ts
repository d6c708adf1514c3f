export * from './build.js';
export * from './candidate.js';
export * from './codec-match.js';
export * from './format-parameters.js';
export * from './h264-profile.js';
export type * from './model.js';
export * from './parse-description.js';
