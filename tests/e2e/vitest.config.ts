import { defineConfig } from 'vitest/config';

/** Proofs that have no short form yet: `npm run proof:<name>`. */
const PROOFS_ONLY = process.env['GODWIT_E2E_PROOFS'] === undefined ? ['tests/e2e/races.test.ts'] : [];

// Real processes and real browsers: one file after the other, or two busy cores would be measured instead of the platform.
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  resolve: { conditions: ['godwit-source', 'node', 'default'] },
  ssr: { resolve: { conditions: ['godwit-source', 'node', 'default'] } },
  test: {
    include: ['tests/e2e/**/*.test.ts', 'packages/*/tests-browser/**/*.test.ts'],
    exclude: ['**/node_modules/**', ...PROOFS_ONLY],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 180_000,
    // Two busy cores stall now and then, and a stall is a lost packet or a freeze; what fails twice running is a defect.
    retry: 1,
    pool: 'forks',
  },
});
