/** Base of every event the SDK dispatches (shape of OpenTok.js). */
export class OTEvent<Type extends string = string, Target = unknown> {
  readonly type: Type;
  readonly target: Target;
  readonly cancelable: boolean;
  #defaultPrevented = false;

  constructor(type: Type, target: Target, cancelable = false) {
    this.type = type;
    this.target = target;
    this.cancelable = cancelable;
  }

  /** Whether a listener has called `preventDefault`. */
  isDefaultPrevented(): boolean {
    return this.#defaultPrevented;
  }

  /** Stops the default action of a cancelable event; without effect on others. */
  preventDefault(): void {
    if (this.cancelable) this.#defaultPrevented = true;
  }
}

/** Makes an event that carries `fields` beside the base ones. */
export function makeEvent<Type extends string, Target, Fields extends object>(
  type: Type,
  target: Target,
  fields: Fields,
  cancelable = false,
): OTEvent<Type, Target> & Fields {
  return Object.assign(new OTEvent(type, target, cancelable), fields);
}
