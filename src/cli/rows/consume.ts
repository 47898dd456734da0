import { readConsumeSettings } from "../../config/consume-settings.ts";
import { orderGpusByPci } from "../../config/environment.ts";
import { CONSUME_FLAGS } from "../../config/flag-table.ts";
import { runConsume } from "../../consume/consume-run.ts";
import { createLog } from "../../telemetry/log.ts";
import { knownFlags, parseArguments, wrongArguments } from "../arguments.ts";
import { endProcess } from "../end-process.ts";
import { runInterruptible, sayStrayVariables } from "../interruptible.ts";

/** A broker that is away must not keep an interrupted process alive. */
const LAST_WORDS_MS = 30_000;

/**
 * `assay consume`: scores a topic until it is told to end. Returns the exit code: 0 it was told to, and all that was read is
 * committed, 1 it cannot go on, 2 its settings are wrong.
 */
export async function consume(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const parsed = parseArguments(argv, knownFlags(CONSUME_FLAGS));
  const flags = new Map(parsed.flags);
  const problems = [...parsed.problems, ...parsed.positionals.map((text) => `${text} is no flag`)];
  for (const [name, values] of parsed.all) {
    if (name === "brokers") flags.set(name, values.join(","));
    else if (values.length > 1) problems.push(`--${name} came more than once`);
  }
  if (problems.length > 0) throw wrongArguments(problems, "consume");
  const settings = readConsumeSettings({ flags, environment });
  sayStrayVariables("assay consume", environment);
  process.stderr.on("error", () => {});
  orderGpusByPci();
  return runInterruptible({
    name: "assay consume",
    interrupted: "interrupted",
    onInterrupt() {
      setTimeout(() => endProcess(1), LAST_WORDS_MS).unref();
    },
    run: (signal) =>
      runConsume({ settings, environment, log: createLog("info"), stderr: process.stderr, signal }),
  });
}
