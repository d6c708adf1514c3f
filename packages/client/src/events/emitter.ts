import { log } from '../log.js';

type Listener<Event> = (event: Event) => void;

interface Registration {
  listener: Listener<never>;
  context: unknown;
  once: boolean;
}

/** Listeners by event name, as the object form of `on` takes them. */
export type Listeners<Events> = { [Name in keyof Events]?: Listener<Events[Name]> };

/**
 * `on`, `once` and `off` as OpenTok.js has them: by name or by an object of names.
 * Listeners run in the order of registration; one that throws does not stop the others.
 */
export class Emitter<Events> {
  readonly #registrations = new Map<PropertyKey, Registration[]>();

  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>, context?: unknown): this;
  on(listeners: Listeners<Events>, context?: unknown): this;
  on(first: PropertyKey | object, second?: unknown, third?: unknown): this {
    return this.#register(first, second, third, false);
  }

  once<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>, context?: unknown): this;
  once(listeners: Listeners<Events>, context?: unknown): this;
  once(first: PropertyKey | object, second?: unknown, third?: unknown): this {
    return this.#register(first, second, third, true);
  }

  /** Removes one listener, all of a name, those of an object, or (without arguments) everything. */
  off<Name extends keyof Events>(name?: Name, listener?: Listener<Events[Name]>, context?: unknown): this;
  off(listeners: Listeners<Events>, context?: unknown): this;
  off(first?: PropertyKey | object, second?: unknown, third?: unknown): this {
    if (first === undefined) {
      this.#registrations.clear();
      return this;
    }
    if (typeof first === 'object') {
      for (const [name, listener] of Object.entries(first)) this.#remove(name, listener, second);
      return this;
    }
    this.#remove(first, second, third);
    return this;
  }

  /** How many listeners a name has. */
  listenerCount(name: keyof Events): number {
    return this.#registrations.get(name)?.length ?? 0;
  }

  /** @internal Runs the listeners of `name`. */
  dispatch<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const registrations = this.#registrations.get(name);
    if (registrations === undefined) return;
    const remaining = registrations.filter((registration) => !registration.once);
    this.#registrations.set(name, remaining);
    for (const { listener, context } of registrations) {
      try {
        (listener as Listener<Events[Name]>).call(context, event);
      } catch (error) {
        log.error(`a listener of "${String(name)}" threw`, error);
      }
    }
  }

  #register(first: PropertyKey | object, second: unknown, third: unknown, once: boolean): this {
    if (typeof first === 'object') {
      for (const [name, listener] of Object.entries(first)) this.#add(name, listener, second, once);
      return this;
    }
    for (const name of typeof first === 'string' ? first.split(' ') : [first]) {
      this.#add(name, second, third, once);
    }
    return this;
  }

  #add(name: PropertyKey, listener: unknown, context: unknown, once: boolean): void {
    if (typeof listener !== 'function')
      throw new TypeError(`the listener of "${String(name)}" is no function`);
    const registrations = this.#registrations.get(name) ?? [];
    this.#registrations.set(name, [
      ...registrations,
      { listener: listener as Listener<never>, context: context ?? this, once },
    ]);
  }

  #remove(name: PropertyKey, listener: unknown, context: unknown): void {
    const registrations = this.#registrations.get(name) ?? [];
    const kept = registrations.filter(
      (registration) =>
        (listener !== undefined && registration.listener !== listener) ||
        (context !== undefined && registration.context !== context),
    );
    this.#registrations.set(name, kept);
  }
}
