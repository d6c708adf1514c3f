import { jwtVerify } from 'jose';
import { expect, it } from 'vitest';
import { projectToken } from './project-token.js';

const PROJECT = { apiKey: '100', apiSecret: 'a secret of a project' };

it('signs as the server SDKs do, for as long as it is told', async () => {
  const token = await projectToken(PROJECT, 7_200);
  const { payload } = await jwtVerify(token, Buffer.from(PROJECT.apiSecret), { algorithms: ['HS256'] });
  expect(payload).toMatchObject({ iss: '100', ist: 'project' });
  expect(payload.exp).toBe((payload.iat ?? 0) + 7_200);
  await expect(jwtVerify(token, Buffer.from('another secret'))).rejects.toThrow();
});
