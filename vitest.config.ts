import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const about =
  "Unit and integration tests: real sockets, real worker threads, real ONNX models, nothing from the network." +
  " About 4 minutes on two cores.";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/conformance/**", "test/shared/**", "test/long/**", "test/gpu/**", "node_modules/**"],
    pool: "forks",
    // Vitest would leave a core free, on two cores half of them; most files wait for processes and sockets.
    maxWorkers: availableParallelism(),
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // What the tests start is Node again and again: half of its start is compiling the same files.
    env: { NODE_COMPILE_CACHE: `${import.meta.dirname}/node_modules/.cache/compile` },
    silent: "passed-only",
    // A file above this is named; what has to take longer belongs to test/long.
    slowTestThreshold: 20_000,
    reporters: [["./scripts/count-reporter.ts", { about, seconds: 240 }]],
  },
});
