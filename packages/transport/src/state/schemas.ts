/** Layouts that this version reads, newest first: N and N-1. It writes any of them. */
export const STATE_SCHEMAS: readonly number[] = [1];
