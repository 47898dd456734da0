import { defineConfig } from "vitest/config";

/** What takes minutes: servers, runs and writers that are killed at every step, and runs that hang. `npm run test:long`. */
export default defineConfig({
  test: {
    include: ["test/long/**/*.test.ts"],
    pool: "forks",
    testTimeout: 180_000,
    hookTimeout: 120_000,
    env: { NODE_COMPILE_CACHE: `${import.meta.dirname}/node_modules/.cache/compile` },
    silent: "passed-only",
    slowTestThreshold: 180_000,
    reporters: ["./scripts/count-reporter.ts"],
  },
});
