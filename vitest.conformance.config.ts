import { defineConfig } from "vitest/config";

/** Foreign clients and training libraries against a server of its own: `npm run conformance`. */
export default defineConfig({
  test: {
    include: ["test/conformance/**/*.test.ts"],
    pool: "forks",
    // Each file starts a server and foreign programs; side by side they would only wait for each other's cores.
    fileParallelism: false,
    // Times of a zone are printed in the process's.
    env: { TZ: "UTC" },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    silent: "passed-only",
    slowTestThreshold: 120_000,
    reporters: ["./scripts/count-reporter.ts"],
  },
});
