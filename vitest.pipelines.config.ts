import { defineConfig } from "vitest/config";

const KAFKA = "test/pipelines/kafka/**/*.test.ts";

/** Where rows come from and scores go: brokers, stores, engines and schedulers, each the real one. `npm run pipelines`. */
export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "kafka",
          include: [KAFKA],
          // What is killed and what is timed has no other tests beside it; of a file that says so, three tests at once.
          maxWorkers: 1,
          maxConcurrency: 3,
          globalSetup: "test/pipelines/kafka/shared-broker.ts",
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "beside",
          include: ["test/pipelines/**/*.test.ts"],
          exclude: [KAFKA],
          globalSetup: "test/pipelines/examples/wheel.ts",
          // Each starts a server and a system that takes gigabytes, and mostly waits for one thread of it.
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    pool: "forks",
    env: { TZ: "UTC", NODE_COMPILE_CACHE: `${import.meta.dirname}/node_modules/.cache/compile` },
    // A condition is waited for as long as a machine with other work may take to bring it about.
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 180_000,
    hookTimeout: 180_000,
    silent: "passed-only",
    slowTestThreshold: 180_000,
    reporters: ["./scripts/count-reporter.ts"],
  },
});
