import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const about =
  "Unit and integration tests: real sockets, real worker threads, real ONNX models, nothing from the network." +
  " Three to four minutes on two cores.";

const UNIT = ["test/unit/**/*.test.ts", "test/rules/**/*.test.ts"];
/**
 * Unit tests that need a process of their own: they replace a module or the timers, which what the process shares keeps, use up what a
 * process has once, or measure its memory.
 */
const UNIT_APART = [
  "test/unit/batcher/create-batcher.test.ts",
  "test/unit/cli/serve-signals.test.ts",
  "test/unit/edge/call/call-deadlines.test.ts",
  "test/unit/edge/call/edge-call.test.ts",
  "test/unit/edge/grpc/byte-backlog.test.ts",
  "test/unit/edge/http1/plain-connection.test.ts",
  "test/unit/edge/listen/seldom.test.ts",
  "test/unit/edge/memory/call-memory.test.ts",
  "test/unit/model/half-written.test.ts",
  "test/unit/pool/watchdog.test.ts",
  "test/unit/service/check/default-inputs.test.ts",
  "test/unit/timing/alarm.test.ts",
  "test/unit/wording/name-hints.test.ts",
];

export default defineConfig({
  test: {
    projects: [
      // In the order of their names: files that wait for processes and sockets first, so that the last ones are short.
      { extends: true, test: { name: "apart", include: ["test/integration/**/*.test.ts", ...UNIT_APART] } },
      // The start of a process and of what a file imports costs more than most of these files do: each of the processes runs many.
      { extends: true, test: { name: "together", include: UNIT, exclude: UNIT_APART, isolate: false } },
    ],
    pool: "forks",
    // Vitest would leave a core free, on two cores half of them; most files wait for processes and sockets, so that one more is used.
    maxWorkers: availableParallelism() + 1,
    // A condition is waited for as long as a machine with other work may take to bring it about.
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 90_000,
    hookTimeout: 90_000,
    // What the tests start is Node again and again: half of its start is compiling the same files.
    env: { NODE_COMPILE_CACHE: `${import.meta.dirname}/node_modules/.cache/compile` },
    silent: "passed-only",
    // A file above this is named; what has to take longer belongs to test/long.
    slowTestThreshold: 20_000,
    reporters: [["./scripts/count-reporter.ts", { about, seconds: 240 }]],
  },
});
