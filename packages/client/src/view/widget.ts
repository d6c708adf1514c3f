import { otError } from '../errors.js';
import { WidgetLook } from './look.js';
import type { WidgetStyle } from './look.js';

/** Where and how a publisher or subscriber shows (names of OpenTok.js). */
export interface WidgetProperties {
  /** False: no container is made; take the video element from `videoElementCreated`. Default true. */
  insertDefaultUI?: boolean;
  /** Where the container goes, seen from the target. Default "replace". */
  insertMode?: 'replace' | 'append' | 'before' | 'after';
  /** CSS length, or a number of CSS pixels. Default 264. */
  width?: number | string;
  /** CSS length, or a number of CSS pixels. Default 198. */
  height?: number | string;
  fitMode?: 'cover' | 'contain';
  /** False: the view shows no name. There are no buttons either way. Default true. */
  showControls?: boolean;
  /** Names that the view has nothing for are left out. */
  style?: Partial<WidgetStyle> & Record<string, unknown>;
}

/** The elements of one publisher or subscriber. */
export interface Widget {
  /** The container; undefined with `insertDefaultUI: false`. */
  readonly element: HTMLElement | undefined;
  readonly video: HTMLVideoElement;
  readonly look: WidgetLook;
  /** Takes everything out of the page. */
  remove(): void;
}

/** An element, or the id of one. */
export type WidgetTarget = HTMLElement | string;

const DEFAULT_WIDTH = 264;
const DEFAULT_HEIGHT = 198;

const cssLength = (value: number | string): string => (typeof value === 'number' ? `${value}px` : value);

function findTarget(target: WidgetTarget | undefined): HTMLElement | undefined {
  if (typeof target !== 'string') return target;
  const element = document.getElementById(target);
  if (element === null) throw otError('OT_INVALID_PARAMETER', `There is no element with the id "${target}".`);
  return element;
}

function createVideo(properties: WidgetProperties): HTMLVideoElement {
  const video = document.createElement('video');
  video.autoplay = true;
  video.playsInline = true;
  video.className = 'OT_video-element';
  Object.assign(video.style, {
    width: '100%',
    height: '100%',
    objectFit: properties.fitMode ?? 'cover',
    display: 'block',
  });
  return video;
}

function insert(container: HTMLElement, target: HTMLElement | undefined, mode: string): void {
  if (target === undefined) {
    document.body.append(container);
    return;
  }
  switch (mode) {
    case 'append':
      return target.append(container);
    case 'before':
      return target.before(container);
    case 'after':
      return target.after(container);
    default:
      return target.replaceChildren(container);
  }
}

/**
 * Makes the elements and puts them into the page. With "replace" the target's content is replaced, not the target.
 * @throws OTError OT_INVALID_PARAMETER when the target does not exist
 */
export function createWidget(
  role: 'publisher' | 'subscriber',
  id: string,
  target: WidgetTarget | undefined,
  properties: WidgetProperties,
  name: string,
): Widget {
  const video = createVideo(properties);
  const shownName = properties.showControls === false ? '' : name;
  if (properties.insertDefaultUI === false) {
    const look = new WidgetLook(undefined, video, shownName, properties.style);
    return { element: undefined, video, look, remove: () => release(video) };
  }
  const element = document.createElement('div');
  element.id = id;
  element.className = `OT_root OT_${role}`;
  Object.assign(element.style, {
    width: cssLength(properties.width ?? DEFAULT_WIDTH),
    height: cssLength(properties.height ?? DEFAULT_HEIGHT),
    position: 'relative',
    overflow: 'hidden',
    background: '#000',
  });
  element.append(video);
  insert(element, findTarget(target), properties.insertMode ?? 'replace');
  return {
    element,
    video,
    look: new WidgetLook(element, video, shownName, properties.style),
    remove: () => {
      release(video);
      element.remove();
    },
  };
}

function release(video: HTMLVideoElement): void {
  video.srcObject = null;
  video.remove();
}
