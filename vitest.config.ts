import { defineConfig } from 'vitest/config';

// Packages are tested from source: the condition picks src/index.ts of every sibling, so no build is needed.
export default defineConfig({
  resolve: { conditions: ['godwit-source', 'node', 'default'] },
  ssr: { resolve: { conditions: ['godwit-source', 'node', 'default'] } },
  test: {
    include: ['packages/**/src/**/*.test.ts', 'apps/**/src/**/*.test.ts', 'tests/tidy/**/*.test.ts'],
    testTimeout: 20_000,
    pool: 'forks',
    // Most files wait for timers and sockets: two at a time keep two cores busy, where one by one takes ten minutes.
    maxWorkers: 2,
  },
});
