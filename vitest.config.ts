import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/build-app.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Several suites start real servers and child processes; two cores hold two of them at once.
    maxWorkers: 2,
  },
});
