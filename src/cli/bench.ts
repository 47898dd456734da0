import { readFileSync } from "node:fs";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { type BenchSettings, readBenchSettings } from "../config/bench-settings.ts";
import { BENCH_FLAGS } from "../config/flag-table.ts";
import { AssayError } from "../errors.ts";
import { runLoad } from "../load/load-run.ts";
import { reportTable } from "../load/report/report-table.ts";
import { knownFlags, parseArguments, wrongArguments } from "./arguments.ts";
import { runInterruptible, sayStrayVariables } from "./interruptible.ts";

/**
 * `assay bench`: calls a server and reports. Returns the exit code: 0; 1 where no call could be made, or more failed than may; 2 for wrong
 * arguments. A first Ctrl-C ends the run early and changes nothing of that, a second one ends at once with 130.
 */
export async function bench(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const { flags, positionals, problems: unread } = parseArguments(argv, knownFlags(BENCH_FLAGS));
  const problems = [...unread, ...positionals.map((word) => `${word} is not known; flags start with --`)];
  if (problems.length > 0) throw wrongArguments(problems, "bench");
  const settings = readBenchSettings({ flags, environment });
  sayStrayVariables("assay bench", environment);
  return runInterruptible({
    name: "assay bench",
    interrupted: "interrupted before the first call",
    async run(signal) {
      const requestText = requestOf(settings);
      const report = await runLoad({ settings, requestText, terminal: process.stderr, signal });
      process.stdout.write(settings.json ? `${JSON.stringify(report, null, 2)}\n` : reportTable(report));
      return report.error_rate > settings.maxErrorRate ? 1 : 0;
    },
  });
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
