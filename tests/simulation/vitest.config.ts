import { defineConfig } from 'vitest/config';

// The simulation as it was built: its runs are processes of their own, with virtual time inside.
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    include: ['tests/simulation/**/*.test.ts'],
    fileParallelism: false,
    // Processor time, not waiting: generous, because a busy machine has little of it to give.
    testTimeout: 900_000,
    pool: 'forks',
  },
});
