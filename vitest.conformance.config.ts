import { defineConfig } from "vitest/config";

/** Judged by what is lost or late while servers are stopped, by a suite's own time-outs, or by a port of the README: the cores for itself. */
const ALONE = [
  "test/conformance/first-time/**/*.test.ts",
  "test/conformance/h2/**/*.test.ts",
  "test/conformance/operations/**/*.test.ts",
  "test/conformance/suites/**/*.test.ts",
  "test/conformance/start.test.ts",
  "test/conformance/terminal.test.ts",
];

/** Foreign clients and training libraries against a server of its own: `npm run conformance`. */
export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        // Of a file that says so, two tests at once.
        test: {
          name: "alone",
          include: ALONE,
          maxWorkers: 1,
          maxConcurrency: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "beside",
          include: ["test/conformance/**/*.test.ts"],
          exclude: ALONE,
          // Each starts a server and a foreign program, and mostly waits for one thread of that.
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    pool: "forks",
    // Times of a zone are printed in the process's.
    env: { TZ: "UTC", NODE_COMPILE_CACHE: `${import.meta.dirname}/node_modules/.cache/compile` },
    // A condition is waited for as long as a machine with other work may take to bring it about.
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    silent: "passed-only",
    slowTestThreshold: 120_000,
    reporters: ["./scripts/count-reporter.ts"],
  },
});
