import { defineConfig } from "vitest/config";

/** Whole tables and many models, which lie beside the checkout: `npm run test:shared`. */
export default defineConfig({
  test: {
    include: ["test/shared/**/*.test.ts"],
    pool: "forks",
    // A condition is waited for as long as a machine with other work may take to bring it about.
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    env: { NODE_COMPILE_CACHE: `${import.meta.dirname}/node_modules/.cache/compile` },
    silent: "passed-only",
    slowTestThreshold: 120_000,
    reporters: ["./scripts/count-reporter.ts"],
  },
});
