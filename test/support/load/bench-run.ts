import { readBenchSettings } from "../../../src/config/bench-settings.ts";
import { runLoad } from "../../../src/load/load-run.ts";
import type { BenchReport } from "../../../src/load/report/bench-report.ts";

/** Runs the load in this process, with flags as on the command line, without dashes, for a tenth of a second unless they say otherwise. */
export function benchRun(flags: Record<string, string>, request?: object): Promise<BenchReport> {
  const some = { duration: "0.1", warmup: "0", check: "true" };
  const settings = readBenchSettings({
    flags: new Map(Object.entries({ ...some, ...flags })),
    environment: {},
  });
  return runLoad({
    settings,
    requestText: request === undefined ? undefined : JSON.stringify(request),
    terminal: { write: () => {} },
    signal: new AbortController().signal,
  });
}
