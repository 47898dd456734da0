import { readFileSync } from "node:fs";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { type BenchSettings, readBenchSettings } from "../config/bench-settings.ts";
import { BENCH_FLAGS } from "../config/flag-table.ts";
import { strayVariables } from "../config/stray-variables.ts";
import { AssayError } from "../errors.ts";
import { runLoad } from "../load/load-run.ts";
import { reportTable } from "../load/report/report-table.ts";
import { parseArguments, wrongArguments } from "./arguments.ts";
import { endBySignal } from "./end-process.ts";
import { SignalCount } from "./signal-count.ts";

/**
 * `assay bench`: calls a server and reports. Returns the exit code: 0; 1 where no call could be made, or more failed than may; 2 for wrong
 * arguments. A first Ctrl-C ends the run early and changes nothing of that, a second one ends at once with 130.
 */
export async function bench(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const kinds = new Map(
    BENCH_FLAGS.map((row) => [row.name, row.placeholder === "" ? ("switch" as const) : ("value" as const)]),
  );
  const { flags, positionals, problems: unread } = parseArguments(argv, kinds);
  const problems = [...unread, ...positionals.map((word) => `${word} is not known; flags start with --`)];
  if (problems.length > 0) throw wrongArguments(problems, "bench");
  const settings = readBenchSettings({ flags, environment });
  for (const { nearest, message } of strayVariables(environment)) {
    if (nearest !== undefined) process.stderr.write(`assay bench: ${message}\n`);
  }
  const controller = new AbortController();
  const signals = new SignalCount();
  const onSignal = () => {
    const count = signals.take();
    if (count > 1) endBySignal(130);
    if (count === 1) controller.abort();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  try {
    const requestText = requestOf(settings);
    const report = await runLoad({
      settings,
      requestText,
      terminal: process.stderr,
      signal: controller.signal,
    });
    process.stdout.write(settings.json ? `${JSON.stringify(report, null, 2)}\n` : reportTable(report));
    return report.error_rate > settings.maxErrorRate ? 1 : 0;
  } catch (error) {
    if (controller.signal.aborted) {
      process.stderr.write("assay bench: interrupted before the first call\n");
      return 130;
    }
    if (!(error instanceof AssayError)) throw error;
    process.stderr.write(`assay bench: ${error.message}\n`);
    return error.reason === Reason.CONFIG_INVALID ? 2 : 1;
  } finally {
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  }
}

function requestOf({ request }: BenchSettings): string | undefined {
  if (request === "") return undefined;
  try {
    return readFileSync(request, "utf8");
  } catch (cause) {
    const message = `--request ${request} cannot be read: ${(cause as Error).message}`;
    throw new AssayError(Reason.CONFIG_INVALID, message, { cause });
  }
}
