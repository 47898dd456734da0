import { defineConfig } from "vitest/config";

/** Where rows come from and scores go: brokers, stores, engines and schedulers, each the real one. `npm run pipelines`. */
export default defineConfig({
  test: {
    include: ["test/pipelines/**/*.test.ts"],
    pool: "forks",
    // Each file starts a server and systems that take gigabytes and both cores.
    fileParallelism: false,
    env: { TZ: "UTC" },
    testTimeout: 180_000,
    hookTimeout: 180_000,
    silent: "passed-only",
    slowTestThreshold: 180_000,
    reporters: ["./scripts/count-reporter.ts"],
  },
});
