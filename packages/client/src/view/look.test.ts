import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { OT } from '../ot.js';
import { FakePage } from '../testing/fakePage.js';

let page: FakePage;
beforeEach(() => {
  page = new FakePage().install();
});
afterEach(() => vi.unstubAllGlobals());

const view = (properties: object) => OT.initPublisher({ audioSource: false, name: 'Ann', ...properties });
const nameShows = (): boolean => page.element('div').style.display === 'block';

it('the name shows while it is pointed at, or always, or never', () => {
  const publisher = view({});
  const [container] = page.elements.filter(({ className }) => className.startsWith('OT_root'));
  expect([page.element('div').textContent, nameShows()]).toEqual(['Ann', false]);
  container?.dispatchEvent(new Event('mouseenter'));
  expect(nameShows()).toBe(true);
  publisher.setStyle('nameDisplayMode', 'off');
  expect(nameShows()).toBe(false);
  publisher.setStyle({ nameDisplayMode: 'on' });
  container?.dispatchEvent(new Event('mouseleave'));
  expect(nameShows()).toBe(true);
});

it('there is no name without controls', () => {
  view({ showControls: false });
  expect(page.elements.filter(({ tagName }) => tagName === 'DIV')).toHaveLength(1);
});

it('the background is behind the pictures, and cannot break out of its place', () => {
  view({ style: { backgroundImageURI: 'https://example.test/a.png' }, showControls: false });
  expect(page.element('div').style.backgroundImage).toBe('url("https://example.test/a.png")');
  view({ style: { backgroundImageURI: 'a"); color: red' }, showControls: false });
  expect(page.element('div').style.backgroundImage).toBe('url("a\\"); color: red")');
});

it('what the view has nothing for is left out, and said so', () => {
  const warning = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  OT.setLogLevel(OT.WARN);
  const publisher = view({ style: { buttonDisplayMode: 'on', nameDisplayMode: 'on' } });
  OT.setLogLevel(OT.ERROR);
  expect(publisher.getStyle()).toEqual({ nameDisplayMode: 'on', backgroundImageURI: '' });
  expect(warning).toHaveBeenCalledOnce();
});

it('a page that shows the element itself has its styles remembered and its element left alone', () => {
  const publisher = view({ insertDefaultUI: false, style: { nameDisplayMode: 'off' } });
  publisher.publishVideo(false);
  expect(publisher.getStyle().nameDisplayMode).toBe('off');
  expect(page.element('video').style.visibility).toBeUndefined();
});
