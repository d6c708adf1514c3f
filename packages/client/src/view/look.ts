import { log } from '../log.js';

/** What of the default view a page may style (names of OpenTok.js). */
export interface WidgetStyle {
  /** When the name shows: while the pointer is over the view, always or never. Default "auto". */
  nameDisplayMode: 'auto' | 'on' | 'off';
  /** Shown while there are no pictures; "" for none. */
  backgroundImageURI: string;
}

const DEFAULTS: WidgetStyle = { nameDisplayMode: 'auto', backgroundImageURI: '' };

const isStyleName = (name: string): name is keyof WidgetStyle => Object.hasOwn(DEFAULTS, name);

/** The name and the background of one default view. Without a view it only remembers. */
export class WidgetLook {
  readonly #element: HTMLElement | undefined;
  readonly #label: HTMLElement | undefined;
  readonly #video: HTMLVideoElement;
  #style: WidgetStyle = DEFAULTS;
  #pointed = false;

  /** @param name shown in the view; "" for none */
  constructor(element: HTMLElement | undefined, video: HTMLVideoElement, name: string, style: object = {}) {
    this.#element = element;
    this.#video = video;
    if (element !== undefined && name !== '') this.#label = this.#addLabel(element, name);
    this.set(style);
  }

  get style(): WidgetStyle {
    return { ...this.#style };
  }

  /** Takes a style, or one name and its value, as far as it knows them. Buttons, meters and the like do not exist here: their styles are left out. */
  set(style: object | string, value?: unknown): void {
    const entries = Object.entries(typeof style === 'string' ? { [style]: value } : style).filter(
      ([, each]) => each !== undefined && each !== null,
    );
    for (const [name] of entries.filter(([each]) => !isStyleName(each))) {
      log.warn(`the view has nothing to style by "${name}"`);
    }
    this.#style = { ...this.#style, ...Object.fromEntries(entries.filter(([name]) => isStyleName(name))) };
    this.#render();
  }

  /** Shows the pictures, or what is behind them. */
  showVideo(visible: boolean): void {
    // Without a view the element is the page's.
    if (this.#element !== undefined) this.#video.style.visibility = visible ? 'visible' : 'hidden';
  }

  #addLabel(element: HTMLElement, name: string): HTMLElement {
    const label = document.createElement('div');
    label.className = 'OT_name';
    label.textContent = name;
    Object.assign(label.style, {
      position: 'absolute',
      left: '0',
      bottom: '0',
      padding: '4px 8px',
      color: '#fff',
      background: 'rgba(0, 0, 0, 0.5)',
      font: '14px sans-serif',
    });
    element.append(label);
    const point = (pointed: boolean) => (): void => {
      this.#pointed = pointed;
      this.#render();
    };
    element.addEventListener('mouseenter', point(true));
    element.addEventListener('mouseleave', point(false));
    return label;
  }

  #render(): void {
    const { nameDisplayMode, backgroundImageURI } = this.#style;
    if (this.#label !== undefined) {
      const visible = nameDisplayMode === 'on' || (nameDisplayMode === 'auto' && this.#pointed);
      this.#label.style.display = visible ? 'block' : 'none';
    }
    if (this.#element === undefined) return;
    const image = backgroundImageURI === '' ? '' : `url(${JSON.stringify(backgroundImageURI)})`;
    Object.assign(this.#element.style, {
      backgroundImage: image,
      backgroundSize: 'contain',
      backgroundPosition: 'center',
      backgroundRepeat: 'no-repeat',
    });
  }
}
