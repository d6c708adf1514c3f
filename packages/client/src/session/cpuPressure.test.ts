import { afterEach, expect, it, vi } from 'vitest';
import { CpuPressure } from './cpuPressure.js';

afterEach(() => vi.unstubAllGlobals());

it('each change of the pressure is told once, until nobody listens', () => {
  let change: (records: { state: string }[]) => void = () => undefined;
  const disconnect = vi.fn();
  const observe = vi.fn(() => Promise.reject(new DOMException('', 'NotAllowedError')));
  vi.stubGlobal(
    'PressureObserver',
    class {
      observe = observe;
      disconnect = disconnect;
      constructor(changed: typeof change) {
        change = changed;
      }
    },
  );
  const heard: string[] = [];
  const pressure = new CpuPressure((state) => heard.push(state));
  change([{ state: 'nominal' }]);
  change([{ state: 'fair' }, { state: 'serious' }]);
  change([{ state: 'serious' }]);
  pressure.close();
  expect(heard).toEqual(['nominal', 'serious']);
  expect([observe.mock.calls, disconnect.mock.calls]).toEqual([[['cpu']], [[]]]);
});

it('nothing is told where the browser does not tell', () => {
  expect(() => new CpuPressure(() => undefined).close()).not.toThrow();
});
