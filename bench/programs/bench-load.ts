import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What `assay bench` is told: its flags without their dashes. */
export type LoadFlags = Readonly<Record<string, string>>;

/** What it reports, as far as benchmarks read it. */
export interface LoadReport {
  readonly calls: number;
  readonly failed: number;
  readonly calls_per_second: number;
  readonly latency_ms: { readonly p50: number; readonly p99: number };
}

const ENTRY = fileURLToPath(new URL("../../bin/assay.cjs", import.meta.url));

/** Loads a server by `assay bench`, on core 1 unless asked otherwise. Throws where a call failed: what is measured then is something else. */
export async function load(flags: LoadFlags, cores = "1"): Promise<LoadReport> {
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn("taskset", ["-c", cores, process.execPath, ENTRY, "bench", ...args, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  let text = "";
  for await (const chunk of child.stdout) text += chunk;
  await ended;
  const report = JSON.parse(text) as LoadReport;
  if (report.failed > 0) throw new Error(`${report.failed} of ${report.calls} calls failed: ${text}`);
  return report;
}
