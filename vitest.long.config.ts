import { defineConfig } from "vitest/config";

/** Judged by how long the event loop is held, or by what the process holds: other work on its cores would be counted too. */
const ALONE = [
  "test/long/large-messages.test.ts",
  "test/long/load/event-loop.test.ts",
  "test/long/load/decode-bounds.test.ts",
  "test/long/load/server-overload.test.ts",
  "test/long/load/heap-after-calls.test.ts",
  "test/long/load/idle-connections.test.ts",
];

/** What takes minutes: servers, runs and writers that are killed at every step, and runs that hang. `npm run test:long`. */
export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "beside",
          include: ["test/long/**/*.test.ts"],
          exclude: ALONE,
          // Most of these wait for processes that start or end.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: "alone", include: ALONE, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
    pool: "forks",
    // A condition is waited for as long as a machine with other work may take to bring it about.
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 180_000,
    hookTimeout: 120_000,
    env: { NODE_COMPILE_CACHE: `${import.meta.dirname}/node_modules/.cache/compile` },
    silent: "passed-only",
    slowTestThreshold: 180_000,
    reporters: ["./scripts/count-reporter.ts"],
  },
});
