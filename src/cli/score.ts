import { runScore } from "../app/score-run.ts";
import { orderGpusByPci } from "../config/environment.ts";
import { SCORE_FLAGS } from "../config/flag-table.ts";
import { readScoreSettings } from "../config/score-settings.ts";
import { AssayError } from "../errors.ts";
import { createLog } from "../telemetry/log.ts";
import { parseArguments } from "./arguments.ts";
import { wrongArguments } from "./wrong-arguments.ts";

/** A read that never ends, as of a terminal nobody types at, must not keep an interrupted run alive. */
const LAST_WORDS_MS = 3000;

/**
 * `assay score`: scores a table. Returns the exit code: 0 every row is scored, 1 the run ended before its end, 3 it is complete and
 * rows failed, 130 it was interrupted. Throws CONFIG_INVALID before anything has started.
 */
export async function score(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const kinds = new Map(
    SCORE_FLAGS.map((row) => [row.name, row.placeholder === "" ? ("switch" as const) : ("value" as const)]),
  );
  const { flags, positionals, problems } = parseArguments(argv, kinds);
  if (problems.length > 0) throw wrongArguments(problems, "score");
  const settings = readScoreSettings({ flags, environment }, positionals);
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
    setTimeout(() => process.exit(130), LAST_WORDS_MS).unref();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  orderGpusByPci();
  try {
    return await runScore({
      settings,
      environment,
      log: createLog("error"),
      stdout: process.stdout,
      stderr: process.stderr,
      signal: controller.signal,
    });
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    process.stderr.write(`assay score: ${error.message}\n`);
    return controller.signal.aborted ? 130 : 1;
  } finally {
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  }
}
