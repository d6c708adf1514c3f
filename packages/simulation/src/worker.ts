import { runBatch, type BatchOptions } from './batch.js';

// One worker process: its seeds come as the first message, sums go back as messages, and it ends by itself.
process.once('message', (options: BatchOptions) => {
  runBatch(options, (totals) => {
    process.send?.(totals);
  }).then(
    () => {
      process.disconnect();
    },
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
