import { SignJWT } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { errorCatalogue } from '../errors.js';
import { Harness, SECRETS } from '../testing/harness.js';

// A real listener with limits that a test can reach: 2 a second are 20 in a window of 10 s.

let harness: Harness;
afterEach(() => harness.close());

const start = async (rateLimits: { projectPerSecond: number; failuresPerMinute: number }): Promise<void> => {
  harness = await Harness.start({ rateLimits });
};

const jwtOf = (apiKey: string, secret: string): Promise<string> =>
  new SignJWT({ ist: 'project' })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(apiKey)
    .setExpirationTime('5m')
    .sign(Buffer.from(secret));

const ours = (): Promise<string> => jwtOf(SECRETS.apiKey, SECRETS.apiSecret);
const forged = (): Promise<string> => jwtOf(SECRETS.apiKey, 'the secret of somebody else');

const create = (jwt: string): Promise<Response> =>
  fetch(`${harness.url}/session/create`, { method: 'POST', headers: { 'x-opentok-auth': jwt } });
const nodes = (adminToken: string): Promise<Response> =>
  fetch(`${harness.url}/admin/v1/nodes`, { headers: { authorization: `Bearer ${adminToken}` } });

async function statuses(count: number, ask: () => Promise<Response>): Promise<number[]> {
  const all: number[] = [];
  for (let number = 0; number < count; number++) all.push((await ask()).status);
  return all;
}

/** A refusal has the body of the catalogue, and says when to come again. */
async function expectRefusal(response: Response, description: string): Promise<void> {
  const { status, code, message } = errorCatalogue.tooManyRequests;
  const body = (await response.json()) as { description: string };
  expect({ status: response.status, body }).toMatchObject({ status, body: { code, message } });
  expect(body.description).toContain(description);
  const seconds = Number(response.headers.get('retry-after'));
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(60);
  expect(response.headers.get('access-control-expose-headers')).toBe('retry-after');
}

/** Asks until the window that has begun is over. */
async function untilLetIn(ask: () => Promise<Response>): Promise<void> {
  for (;;) {
    const response = await ask();
    if (response.status === 200) return;
    const seconds = Number(response.headers.get('retry-after'));
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  }
}

/** Each test starts a control of its own, and one waits for a window to end. */
const SLOW = { timeout: 120_000 };

describe('the requests of one project', SLOW, () => {
  it('are as many as it may have, and then refused until the window is over; others go on', async () => {
    await start({ projectPerSecond: 2, failuresPerMinute: 0 });
    const jwt = await ours();
    // At once, so that they fall into one window, or on a slow machine into two.
    const all = await Promise.all(Array.from({ length: 50 }, () => create(jwt)));
    const [letIn, refused] = [200, 429].map((status) => all.filter((response) => response.status === status));
    expect(letIn!.length + refused!.length).toBe(50);
    expect(letIn!.length).toBeGreaterThanOrEqual(20);
    expect(refused!.length).toBeGreaterThan(0);
    await expectRefusal(refused![0]!, 'This project asks too often');
    const made = await fetch(`${harness.url}/admin/v1/projects`, {
      method: 'POST',
      headers: { authorization: `Bearer ${SECRETS.adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'other', name: 'Other' }),
    });
    const { secret } = (await made.json()) as { secret: string };
    expect((await create(await jwtOf('other', secret))).status).toBe(200);
    // What is not REST is not counted.
    for (const path of ['/metrics', '/api/client/v2/status', '/openapi.json'])
      expect(await statuses(30, () => fetch(harness.url + path))).toEqual(Array(30).fill(200));
    expect(await statuses(30, () => nodes(SECRETS.adminToken))).toEqual(Array(30).fill(200));
    expect(await (await fetch(`${harness.url}/metrics`)).text()).toContain(
      `godwit_rest_refused_total{reason="project"} ${refused!.length}`,
    );
    await untilLetIn(() => create(jwt));
  });

  it('are any number when the limit is 0', async () => {
    await start({ projectPerSecond: 0, failuresPerMinute: 0 });
    const jwt = await ours();
    expect(new Set(await statuses(60, () => create(jwt)))).toEqual(new Set([200]));
  });
});

describe('failed authentications from one address', SLOW, () => {
  it('end in a refusal that looks at nothing more for this project, and others go on', async () => {
    await start({ projectPerSecond: 0, failuresPerMinute: 5 });
    const made = await fetch(`${harness.url}/admin/v1/projects`, {
      method: 'POST',
      headers: { authorization: `Bearer ${SECRETS.adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'other', name: 'Other' }),
    });
    const { secret } = (await made.json()) as { secret: string };
    const [good, bad] = [await ours(), await forged()];
    expect(await statuses(5, () => create(bad))).toEqual(Array(5).fill(401));
    await expectRefusal(await create(bad), 'Too many failed authentications');
    // Not even the right one: whoever guesses would be told.
    await expectRefusal(await create(good), 'Too many failed authentications');
    expect((await create(await jwtOf('other', secret))).status).toBe(200);
    expect((await nodes(SECRETS.adminToken)).status).toBe(200);
  });

  it('are one count for all names of no project, and for no name at all', async () => {
    await start({ projectPerSecond: 0, failuresPerMinute: 4 });
    let number = 0;
    const stranger = async (): Promise<Response> => create(await jwtOf(`nobody-${number++}`, 'x'.repeat(32)));
    expect(await statuses(2, stranger)).toEqual([401, 401]);
    expect(await statuses(2, () => create('no JWT'))).toEqual([401, 401]);
    await expectRefusal(await stranger(), 'Too many failed');
    await expectRefusal(await create(''), 'Too many failed');
    expect((await create(await ours())).status).toBe(200);
  });

  it('are counted at the admin API as well', async () => {
    await start({ projectPerSecond: 0, failuresPerMinute: 3 });
    expect(await statuses(3, () => nodes('a guess'))).toEqual([401, 401, 401]);
    await expectRefusal(await nodes('another guess'), 'Too many failed');
    await expectRefusal(await nodes(SECRETS.adminToken), 'Too many failed');
    expect((await create(await ours())).status).toBe(200);
  });

  it('are not the successes', async () => {
    await start({ projectPerSecond: 0, failuresPerMinute: 2 });
    const jwt = await ours();
    expect(new Set(await statuses(10, () => create(jwt)))).toEqual(new Set([200]));
    expect(new Set(await statuses(10, () => nodes(SECRETS.adminToken)))).toEqual(new Set([200]));
  });
});
