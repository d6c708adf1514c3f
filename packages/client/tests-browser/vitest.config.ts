import { defineConfig } from 'vitest/config';

// Real Chromium, one page for the whole file; run apart from the unit tests.
export default defineConfig({
  resolve: { conditions: ['godwit-source', 'node', 'default'] },
  ssr: { resolve: { conditions: ['godwit-source', 'node', 'default'] } },
  test: {
    include: ['**/tests-browser/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
  },
});
