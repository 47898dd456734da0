import { counted } from "../../wording/counted.ts";
import { LATE_MS } from "../loop/measured-calls.ts";
import type { BenchReport } from "./bench-report.ts";

/** The report as people read it. */
export function reportTable(report: BenchReport): string {
  const { run, latency_ms: latency } = report;
  const calls = counted(report.calls, "call");
  const lines = [
    headline(report),
    "",
    row("calls", `${calls} in ${report.measured_seconds} s${report.interrupted ? ", interrupted" : ""}`),
    row("rate", `${grouped(report.calls_per_second)} calls/s, ${grouped(report.rows_per_second)} rows/s`),
    row("failed", failedLine(report)),
    ...report.errors.map(({ code, reason, count, message }) =>
      row("", `${grouped(count)} ${[code, reason].filter(Boolean).join(" ")}: ${oneLine(message)}`),
    ),
  ];
  if (report.unanswered > 0) {
    lines.push(
      row("unanswered", `${counted(report.unanswered, "call")}: in flight when the run was broken off`),
    );
  }
  lines.push("", row("latency", "of calls that succeeded, in ms"));
  const from = run.rate_per_second === undefined ? "" : ", from when each was due";
  if (from !== "") lines[lines.length - 1] += from;
  lines.push(...valueRows(latency));
  if (report.open_loop !== undefined) lines.push("", ...openLoopLines(report.open_loop));
  return `${lines.join("\n")}\n`;
}

function headline({ run }: BenchReport): string {
  const version =
    run.protocol === "grpc-stream" ? "PredictStream" : `${run.protocol} over HTTP/${run.http_version}`;
  const how =
    run.rate_per_second === undefined
      ? `closed loop, ${counted(run.concurrency, "call")} in flight`
      : `open loop, ${counted(run.rate_per_second, "call")} due each second, at most ${grouped(run.concurrency)} in flight`;
  const model = run.model === "" ? "" : ` with ${run.model}`;
  return `${run.server}: ${version}${model}, ${how} on ${counted(run.connections, "connection")}; ${counted(run.rows_per_call, "row")} and ${grouped(run.request_bytes)} bytes a call`;
}

function failedLine({ failed, error_rate: share }: BenchReport): string {
  return failed === 0 ? "none" : `${counted(failed, "call")}, ${percent(share)} of all`;
}

function openLoopLines(loop: NonNullable<BenchReport["open_loop"]>): string[] {
  const lines = [
    row("begun late", `${counted(loop.late_calls, "call")} more than ${LATE_MS} ms after they were due`),
    row(
      "",
      `p50 ${loop.lateness_ms.p50}, p99 ${loop.lateness_ms.p99}, max ${loop.lateness_ms.max} ms, which latency counts`,
    ),
  ];
  if (loop.held_by_concurrency > 0) {
    lines.push(
      row(
        "",
        `${counted(loop.held_by_concurrency, "call")} had to wait, since as many as --concurrency allows were in flight`,
      ),
    );
  }
  if (loop.never_begun > 0) {
    lines.push(
      row(
        "never begun",
        `${counted(loop.never_begun, "call")}, though due: no latency tells of them; the server is slower than the rate`,
      ),
    );
  }
  return lines;
}

function valueRows(values: Readonly<Record<string, number>>): string[] {
  const names = Object.keys(values).map((name) => name.replace("_", "."));
  const texts = Object.values(values).map(milliseconds);
  const widths = names.map((name, i) => Math.max(name.length, texts[i]!.length) + 2);
  const line = (cells: readonly string[]) =>
    row(
      "",
      cells
        .map((cell, i) => cell.padStart(widths[i]!))
        .join("")
        .slice(2),
    );
  return [line(names), line(texts)];
}

/** A few digits, and the same number of places in a column of a kind. */
export function milliseconds(ms: number): string {
  return ms < 10 ? ms.toFixed(3) : ms < 1000 ? ms.toFixed(1) : grouped(Math.round(ms));
}

/** 1234567 as 1,234,567. */
export function grouped(count: number): string {
  return Math.round(count) === count || count >= 100
    ? Math.round(count).toLocaleString("en-US")
    : String(Number(count.toPrecision(3)));
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(12)}${text}`.trimEnd();
}

/** Messages may have lines and signs of a server's own. */
function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, " ").slice(0, 300);
}
