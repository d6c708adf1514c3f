import { describe, expect, it } from 'vitest';
import { describePlatform } from './welcome.js';

const platform = {
  url: 'http://127.0.0.1:4600',
  lan: undefined,
  secretsPath: '.godwit/secrets.json',
  nodeCount: 2,
  colors: false,
};

describe('what a started platform says', () => {
  it('is where the demo is, where the secrets are, and how it stops', async () => {
    const lines = (await describePlatform(platform)).join('\n');
    for (const word of ['2 media nodes', 'http://127.0.0.1:4600/demo', '.godwit/secrets.json', 'Ctrl-C']) {
      expect(lines).toContain(word);
    }
  });

  it('names the URL for other devices with --lan, and how commands on this machine trust the certificate', async () => {
    const lan = { url: 'https://192.0.2.2:4600', certificateFile: '.godwit/lan.pem' };
    const lines = (await describePlatform({ ...platform, url: 'https://127.0.0.1:4600', lan })).join('\n');
    expect(lines).toContain('https://192.0.2.2:4600/demo');
    expect(lines).toContain(
      'GODWIT_CONTROL_URL=https://127.0.0.1:4600 NODE_EXTRA_CA_CERTS=.godwit/lan.pem npx godwit',
    );
  });
});
