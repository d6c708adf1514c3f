import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { post } from './post.js';

/** What becomes of a callback to a server that answers so. */
async function postTo(answer: string, signal = new AbortController().signal): Promise<number | string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const status = await post({ url, body: '{}', headers: {}, allowsPrivate: true, signal }).catch(
    (error: Error) => error.message,
  );
  server.close();
  return status;
}

describe('a callback', () => {
  it('has the status of its answer, whose body nobody waits for', async () => {
    expect(await postTo('HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nx')).toBe(200);
    expect(await postTo('HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n\r\n')).toBe(302);
  });

  it('fails, and comes to an end, when the answer is another protocol or none', async () => {
    expect(
      await postTo('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    ).toBe('no answer');
    expect(await postTo('HELLO\r\n\r\n')).toMatch(/^HPE_/);
  });

  it('is broken off when control ends', async () => {
    const ended = new AbortController();
    setTimeout(() => ended.abort(), 100);
    expect(await postTo('', ended.signal)).toBe('the receiver did not answer in time');
  });

  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[fd00::1]',
    'localhost',
  ])('goes to no private address where that is not allowed: %s', async (host) => {
    const { signal } = new AbortController();
    const sent = post({ url: `http://${host}:9/`, body: '{}', headers: {}, allowsPrivate: false, signal });
    await expect(sent).rejects.toThrow('private address');
  });
});
