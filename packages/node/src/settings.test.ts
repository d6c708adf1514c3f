import { describe, expect, it } from 'vitest';
import { parseNodeSettings, SettingsError } from './settings.js';

const NEEDED = { GODWIT_CONTROL_URL: 'http://127.0.0.1:4600', GODWIT_JOIN_KEY: 'a-join-key-of-some-length' };

describe('settings of a node', () => {
  it('need only the control plane and the join key', () => {
    const settings = parseNodeSettings(NEEDED);
    expect(settings.rtcPorts).toBeNull();
    expect(settings.announcedAddresses).toEqual([]);
    expect(settings.httpPort).toBe(0);
  });

  it('take lists and ranges', () => {
    const settings = parseNodeSettings({
      ...NEEDED,
      GODWIT_ANNOUNCED_ADDRESSES: '198.51.100.7, 2001:db8::7',
      GODWIT_RTC_PORTS: '40000-40003',
    });
    expect(settings.announcedAddresses).toEqual(['198.51.100.7', '2001:db8::7']);
    expect(settings.rtcPorts).toEqual({ first: 40_000, last: 40_003 });
  });

  it.each([
    [{ GODWIT_JOIN_KEY: NEEDED.GODWIT_JOIN_KEY }, /GODWIT_CONTROL_URL/],
    [{ ...NEEDED, GODWIT_CONTROL_URL: 'ftp://x' }, /GODWIT_CONTROL_URL/],
    [{ ...NEEDED, GODWIT_JOIN_KEY: 'short' }, /GODWIT_JOIN_KEY/],
    [{ ...NEEDED, GODWIT_RTC_PORTS: '5000-4000' }, /GODWIT_RTC_PORTS/],
    [{ ...NEEDED, GODWIT_RTC_PORTS: '1-60000' }, /GODWIT_RTC_PORTS/],
    [{ ...NEEDED, GODWIT_RTC_PORTS: 'many' }, /GODWIT_RTC_PORTS/],
    [{ ...NEEDED, GODWIT_NODE_HTTP_PORT: '99999' }, /GODWIT_NODE_HTTP_PORT/],
  ])('name the variable that cannot be used: %o', (env, message) => {
    expect(() => parseNodeSettings(env)).toThrow(SettingsError);
    expect(() => parseNodeSettings(env)).toThrow(message);
  });

  it('never repeat a secret in a message', () => {
    expect(() => parseNodeSettings({ ...NEEDED, GODWIT_JOIN_KEY: 'tiny-secret' })).toThrow(
      /^(?!.*tiny-secret)/,
    );
  });
});
