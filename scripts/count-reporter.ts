import { DefaultReporter, type TestModule, type TestSpecification, type Vitest } from "vitest/node";

type Files = Parameters<DefaultReporter["reportTestSummary"]>[0];

/** What a run says before its first test. */
export interface CountReporterOptions {
  /** What the run does and how long it takes; left out where a few files run. */
  readonly about?: string;
  /** Seconds that the whole run should take at most on two free cores. */
  readonly seconds?: number;
}

/** From so many files on it is no choice of a few. */
const WHOLE_FILES = 50;
/** Characters of what a failed test says, in the line that names it. */
const MOST_OF_WHY = 200;
/** Seconds between two lines of progress where the output is no terminal. */
const PROGRESS_SECONDS = 20;

/**
 * Says what the run does, how far it is, what failed with all that it printed, once more each in a line, why a test was skipped, and
 * last `N passed, N failed, N skipped`. A test that is skipped for another reason than a missing GPU fails the run.
 */
export default class CountReporter extends DefaultReporter {
  readonly #options: CountReporterOptions;
  #files = 0;
  #done = 0;
  #said = 0;

  constructor(options: CountReporterOptions = {}) {
    super({ silent: "passed-only", summary: false });
    this.#options = options;
  }

  override onInit(vitest: Vitest): void {
    this.ctx = vitest;
  }

  override onTestRunStart(specifications: readonly TestSpecification[]): void {
    super.onTestRunStart(specifications);
    this.#files = specifications.length;
    this.#said = performance.now();
    if (this.#files >= WHOLE_FILES && this.#options.about !== undefined) this.log(this.#options.about);
  }

  override printTestModule(): void {
    this.#done++;
    const seconds = Math.round((performance.now() - this.start) / 1000);
    const text = `${this.#done} of ${this.#files} files, ${seconds} s`;
    if (this.isTTY) {
      process.stdout.write(`\r${text}`);
      if (this.#done === this.#files) process.stdout.write("\r\u001b[K");
    } else if (performance.now() - this.#said > PROGRESS_SECONDS * 1000) {
      this.#said = performance.now();
      this.log(text);
    }
  }

  // Vitest's own sum, its times and its advice are left out.
  override reportTestSummary(_files: Files): void {}

  override onTestRunEnd(
    modules: readonly TestModule[],
    errors: Parameters<DefaultReporter["onTestRunEnd"]>[1],
    reason: Parameters<DefaultReporter["onTestRunEnd"]>[2],
  ): void {
    super.onTestRunEnd(modules, errors, reason);
    const seconds = Math.round((this.end - this.start) / 1000);
    const limit = this.#options.seconds ?? Number.POSITIVE_INFINITY;
    // Of a whole run that is in time, no list of slow files.
    const isLate = seconds > limit;
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    let unexcused = 0;
    for (const error of errors) this.log(`failed: outside any test: ${firstLine(error.message)}`);
    for (const module of modules) {
      // A file that does not load, or whose setup fails, is a failure even where no test ran.
      if (module.errors().length > 0) {
        count.failed += 1;
        this.log(`failed: ${module.relativeModuleId}, before its tests`);
      }
      const { duration } = module.diagnostic();
      if (duration > this.ctx.config.slowTestThreshold && (isLate || modules.length < WHOLE_FILES))
        this.log(`${module.relativeModuleId} took ${Math.round(duration / 1000)} s: make it leaner`);
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") count.passed += 1;
        else if (result.state === "failed") {
          count.failed += 1;
          const why = firstLine(result.errors[0]?.message ?? "");
          this.log(`failed: ${module.relativeModuleId}: ${test.fullName}: ${why}`);
        } else {
          count.skipped += 1;
          const note = result.state === "skipped" ? result.note : undefined;
          // Left out by the name that was asked for.
          if (this.ctx.config.testNamePattern !== undefined && note === undefined) continue;
          if (!/\bGPU\b/.test(note ?? test.fullName)) unexcused++;
          this.log(`skipped: ${test.fullName}: ${note ?? "no reason given"}`);
        }
      }
    }
    if (unexcused > 0) {
      process.exitCode = 1;
      this.log("a skip for another reason than a missing GPU fails the run");
    }
    const most = isLate ? `, meant to take at most ${limit} s on two free cores` : "";
    this.log(`${modules.length} files in ${seconds} s${most}`);
    this.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  }
}

function firstLine(text: string): string {
  const [line = ""] = text.split("\n");
  return line.slice(0, MOST_OF_WHY);
}
