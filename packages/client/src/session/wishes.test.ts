import { describe, expect, it } from 'vitest';
import { Wishes } from './wishes.js';

const all = { audio: true, video: true };
const audioOnly = { audio: true, video: false };

describe('what the server is told to send', () => {
  it('is nothing as long as everything is wanted', () => {
    expect(new Wishes().change('s', [all])).toBeUndefined();
  });

  it('is said once, and taken back when everything is wanted again', () => {
    const wishes = new Wishes();
    expect(wishes.change('s', [audioOnly])).toEqual(audioOnly);
    expect(wishes.change('s', [audioOnly])).toBeUndefined();
    expect(wishes.change('s', [all])).toEqual(all);
    expect(wishes.change('t', [all])).toBeUndefined();
  });

  it('is what any subscriber of the stream wants', () => {
    const wishes = new Wishes();
    expect(wishes.change('s', [audioOnly, { audio: false, video: true }])).toBeUndefined();
    expect(wishes.change('s', [audioOnly, { audio: false, video: false }])).toEqual(audioOnly);
  });

  it('starts anew for who subscribes again', () => {
    const wishes = new Wishes();
    wishes.change('s', [audioOnly]);
    expect(wishes.change('s', [])).toEqual(all);
    expect(wishes.change('s', [all])).toBeUndefined();
    expect(wishes.change('s', [audioOnly])).toEqual(audioOnly);
  });
});
