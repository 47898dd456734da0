/**
 * Wires `assay score`.
 * Comes in: settings and where to write. Goes out: the output, and an exit code.
 * Promises: input, model, mapping and output are checked before the first row is scored; what is opened here is closed
 * here, whatever happens.
 */

import { tmpdir } from "node:os";
import type { Writable } from "node:stream";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import type { ScoreSettings } from "../config/score-settings.ts";
import { AssayError } from "../errors.ts";
import { openEmbeddedScorer } from "../scorer/embedded-scorer.ts";
import { openServerScorer } from "../scorer/remote/server-scorer.ts";
import type { Scorer } from "../scorer/scorer.ts";
import { wantedModel } from "../scorer/wanted-model.ts";
import { outputFormat, outputPacking } from "../table/format-endings.ts";
import { INFERRED_TYPES, type InferredType } from "../table/inferred-types.ts";
import { openSource } from "../table/read/open-source.ts";
import type { TableSink } from "../table/table-sink.ts";
import type { TableChunk, TableFormat, TableSource } from "../table/table-source.ts";
import { openFileSink } from "../table/write/file-sink.ts";
import { openStreamSink } from "../table/write/stream-sink.ts";
import { systemFailure } from "../table/write-failure.ts";
import type { Log } from "../telemetry/log.ts";
import { counted } from "../wording/counted.ts";
import { type ColumnMapping, mapColumns } from "./columns/column-mapping.ts";
import type { TableNames } from "./columns/table-names.ts";
import { createRowEncoder } from "./encode/row-encoder.ts";
import { createProgressReport, duration, grouped, type ProgressOutput, rowsPerSecond } from "./progress.ts";
import { previewTable } from "./results/preview-table.ts";
import { planResults, type ResultPlan } from "./results/result-plan.ts";
import { scoreRows } from "./results/score-rows.ts";
import { scoreFingerprint } from "./score-fingerprint.ts";
import { runScoreJob } from "./score-job.ts";

/** What a run is given. */
export interface ScoreRunOptions {
  readonly settings: ScoreSettings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly stdout: Writable;
  readonly stderr: ProgressOutput;
  /** Aborted: the run ends, and what is written stays for the next one. */
  readonly signal: AbortSignal;
}

/** A run whose input, model and mapping fit. */
interface CheckedRun {
  readonly source: TableSource;
  readonly scorer: Scorer;
  readonly mapping: ColumnMapping;
  readonly plan: ResultPlan;
  readonly keepAs: KeptTypes;
  readonly scoreChunk: (chunk: TableChunk) => ReturnType<typeof scoreRows>;
  /** What the user should know of the rows encoded so far. */
  readonly notices: () => readonly string[];
}

const PREVIEW_ROWS = 10;

/**
 * Scores a table. Returns 0 where every row is scored, 3 where the output is complete and rows failed. Rejects with an
 * AssayError where the run ends before that.
 */
export async function runScore(options: ScoreRunOptions): Promise<number> {
  const { settings, signal } = options;
  const format = settings.dryRun
    ? undefined
    : outputFormat(settings.output, settings.outputFormat || undefined);
  if (format !== undefined) outputPacking(settings.output, format, settings.compression);
  const source = await openSource({
    inputs: settings.inputs,
    format: (settings.inputFormat || undefined) as TableFormat | undefined,
    csv: {
      delimiter: settings.csvDelimiter || undefined,
      quote: settings.csvQuote,
      header: settings.csvHeader,
      encoding: settings.csvEncoding as "utf-8",
    },
    keepsBadLines: settings.onError !== "fail",
    temporaryFolder: tmpdir(),
    signal,
  }).catch((error: unknown) => {
    throw systemFailure(error);
  });
  let scorer: Scorer | undefined;
  const onAbort = () => {
    void scorer?.close();
    // Standard input may be silent for ever.
    if (source.notResumable !== undefined) source.close();
  };
  try {
    scorer = await unlessAborted(openScorer(options), signal);
    signal.addEventListener("abort", onAbort);
    const types = await keptTypes(source, options);
    const run = checkRun(source, scorer, types, options);
    return format === undefined ? await preview(run, options) : await writeScores(run, format, options);
  } catch (error) {
    throw systemFailure(error);
  } finally {
    signal.removeEventListener("abort", onAbort);
    await scorer?.close();
    source.close();
  }
}

/** A model may take long to load, or never answer its first run: an interrupted command does not wait for it. */
async function unlessAborted(opening: Promise<Scorer>, signal: AbortSignal): Promise<Scorer> {
  const { promise: isAborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(new AssayError(Reason.SHUTTING_DOWN, "interrupted"));
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([opening, isAborted]);
  } catch (error) {
    if (signal.aborted) opening.then((late) => late.close()).catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function openScorer({ settings, environment, log, stderr }: ScoreRunOptions): Promise<Scorer> {
  if (settings.server === "") return openEmbeddedScorer({ settings, environment, log });
  const { name: modelName, version: modelVersion } = wantedModel(settings.model);
  return openServerScorer({
    url: settings.server,
    modelName,
    key: settings.key,
    retryTimeoutMs: settings.retryTimeoutMs,
    onRetry: (error, delayMs) =>
      stderr.write(`${error.message}; trying again in ${duration(delayMs / 1000)}\n`),
    ...(modelVersion === undefined ? {} : { modelVersion }),
    ...(settings.streams === 0 ? {} : { streams: settings.streams }),
  });
}

/** Maps the columns and says what was mapped. Throws TABLE_INVALID with everything that does not fit. */
function checkRun(
  source: TableSource,
  scorer: Scorer,
  keepAs: KeptTypes,
  { settings, stderr }: ScoreRunOptions,
): CheckedRun {
  const { model } = scorer;
  const keep = keptNames(source, settings);
  // Folders' names give no position in the table.
  const columns = source.columns.filter(
    ({ name, isPartition }) => !settings.byPosition || isPartition !== true || keep.includes(name),
  );
  const mapping = mapColumns(model, columns, {
    maps: settings.maps,
    byPosition: settings.byPosition,
    listed: settings.columns,
    keep,
    keepAs,
    textNumbers: source.format === "csv",
    joinColumns: source.format !== "arrow",
    table: tableNames(source),
  });
  source.check?.(mapping.requests);
  const plan = planResults(model, mapping.keep, {
    probabilities: settings.probabilities,
    skipErrors: settings.onError === "skip",
  });
  if (keepAs.size > 0)
    stderr.write(`types of kept columns: ${[...keepAs].map((each) => each.join(" ")).join(", ")}\n`);
  const name = `${model.modelName} version ${model.modelVersion}`;
  const isCsv = source.format === "csv";
  const emptyIsText = isCsv && emptyCellIsText(settings);
  const lines = [...mapping.lines, ...(isCsv ? emptyCells(mapping, settings) : [])];
  stderr.write(`model ${name}: ${lines.join("; ")}\n`);
  if (mapping.surplus.length > 0) {
    const shown = mapping.surplus.slice(0, 12).join(", ");
    const more = mapping.surplus.length > 12 ? `, … (${mapping.surplus.length})` : "";
    stderr.write(`columns that are neither scored nor kept: ${shown}${more}\n`);
  }
  for (const notice of model.notices) stderr.write(`model ${name}: ${notice}\n`);
  const encoder = createRowEncoder(mapping, {
    modelName: model.modelName,
    modelVersion: model.modelVersion,
    outputNames: plan.outputNames,
    nullTexts: new Set(settings.nullValues),
    decimalComma: settings.decimalComma,
    trimText: settings.trimText,
    textForNull: settings.textForNull,
    nullIsEmptyText: emptyIsText,
    nullText: isCsv ? settings.csvNull || undefined : undefined,
  });
  const scoreChunk = (chunk: TableChunk) => scoreRows(encoder.encode(chunk), scorer, plan);
  return { source, scorer, mapping, plan, keepAs, scoreChunk, notices: () => encoder.notices };
}

/** Types that kept columns turned out to have. */
type KeptTypes = ReadonlyMap<string, InferredType>;

function keptNames({ columns }: TableSource, { keep }: ScoreSettings): readonly string[] {
  return keep.join() === "*" ? [...new Set(columns.map(({ name }) => name))] : keep;
}

/** The types of kept columns that are text; formats with types of their own, and queries, keep those. */
async function keptTypes(source: TableSource, { settings }: ScoreRunOptions): Promise<KeptTypes> {
  if (!settings.inferTypes) return new Map();
  const { format, inferTypes } = source;
  if (inferTypes === undefined && (format === "csv" || format === "ndjson"))
    throw new AssayError(
      Reason.CONFIG_INVALID,
      `${settings.origins.inferTypes} reads the input once beforehand, and ${source.inputs[0]!.name} can only be read once: store it in a file`,
    );
  const known = new Set(source.columns.map(({ name }) => name));
  const names = keptNames(source, settings).filter((name) => known.has(name));
  return (await inferTypes?.(names)) ?? new Map();
}

function tableNames(source: TableSource): TableNames {
  const files = source.inputs.map(({ name }) => name);
  return {
    format: source.format,
    files: source.format === "sql" ? ["the query"] : files,
    elsewhere: source.columnsElsewhere ?? new Map(),
    namesAmongValues: source.namesAmongValues ?? [],
  };
}

/**
 * Whether an empty cell of CSV is an empty text for inputs of text: CSV does not tell it from a missing one. `--csv-null ''` says
 * that it is missing, and so does `--text-for-null` alone.
 */
function emptyCellIsText({ csvNull, textForNull }: ScoreSettings): boolean {
  return csvNull === undefined ? textForNull === undefined : csvNull !== "";
}

/** For the user: what an input of text gets for an empty cell. */
function emptyCells(mapping: ColumnMapping, settings: ScoreSettings): string[] {
  if (!mapping.tensors.some(({ datatype }) => datatype === "BYTES")) return [];
  if (emptyCellIsText(settings))
    return ["empty cells of text are empty texts (--csv-null '' takes them as missing)"];
  const { textForNull } = settings;
  return textForNull === undefined
    ? ["empty cells of text are missing values (--csv-null)"]
    : [`empty cells of text are read as ${JSON.stringify(textForNull)} (--text-for-null)`];
}

async function preview(run: CheckedRun, { stdout, stderr }: ScoreRunOptions): Promise<number> {
  for await (const chunk of run.source.read(run.mapping.requests, 0)) {
    if (chunk.chunk.rowCount > PREVIEW_ROWS) chunk.chunk.rowCount = PREVIEW_ROWS;
    const results = await run.scoreChunk(chunk);
    stdout.write(previewTable(chunk, run.plan.columns, results));
    for (const notice of run.notices()) stderr.write(`${notice}\n`);
    return results.errors.size > 0 ? 3 : 0;
  }
  stdout.write("the input has no rows\n");
  return 0;
}

async function writeScores(run: CheckedRun, format: TableFormat, options: ScoreRunOptions): Promise<number> {
  const { settings, stderr, signal } = options;
  const { source, scorer, mapping } = run;
  const sink = await openSink(run, format, options);
  const { inputRows: earlierRows } = sink.written;
  if (earlierRows > 0) stderr.write(`going on after ${counted(earlierRows, "row")} of an earlier run\n`);
  const report = createProgressReport(stderr, settings.jsonProgress);
  const startedAt = performance.now();
  const progressAt = (rows: number, errorRows: number) => ({
    rows,
    totalRows: source.rowCount,
    errorRows,
    rowsHere: rows - earlierRows,
    elapsedMs: performance.now() - startedAt,
  });
  try {
    const written = await runScoreJob({
      source,
      columns: mapping.requests,
      sink,
      scoreChunk: run.scoreChunk,
      chunksInFlight: scorer.requestsInFlight,
      failOnError: settings.onError === "fail",
      signal,
      onRows: (rows, errorRows) => report.update(progressAt(rows, errorRows)),
    });
    report.end();
    for (const notice of run.notices()) stderr.write(`${notice}\n`);
    const { inputRows, errorRows } = written;
    const speed = grouped(rowsPerSecond(progressAt(inputRows, errorRows)));
    const took = duration((performance.now() - startedAt) / 1000);
    const where = settings.output === "-" ? "standard output" : settings.output;
    const [are, their] = errorRows === 1 ? ["is", "its"] : ["are", "their"];
    const fate = settings.onError === "skip" ? "left out" : `written with ${their} score_error`;
    const failed = errorRows === 0 ? "" : `; ${counted(errorRows, "row")} failed and ${are} ${fate}`;
    stderr.write(`${counted(inputRows, "row")} in ${took} (${speed} rows/s) to ${where}${failed}\n`);
    return errorRows > 0 ? 3 : 0;
  } finally {
    report.end();
  }
}

async function openSink(run: CheckedRun, format: TableFormat, options: ScoreRunOptions): Promise<TableSink> {
  const { settings, stdout } = options;
  const { source, scorer, plan } = run;
  const keepTypes = plan.columns.keep.map(({ name }) => {
    const as = run.keepAs.get(name);
    return as === undefined
      ? source.columns.find((column) => column.name === name)!.type
      : INFERRED_TYPES[as];
  });
  if (settings.output === "-")
    return openStreamSink({
      output: stdout,
      format,
      columns: plan.columns,
      keepTypes,
      packing: outputPacking(settings.output, format, settings.compression),
    });
  const sink = await openFileSink({
    outputPath: settings.output,
    format,
    columns: plan.columns,
    keepTypes,
    fingerprint: scoreFingerprint(settings, source, scorer.model, run.mapping),
    overwrite: settings.overwrite,
    restart: settings.restart,
    partRows: settings.partRows,
    packing: outputPacking(settings.output, format, settings.compression),
  });
  if (sink.written.inputRows === 0 || source.notResumable === undefined) return sink;
  const rows = counted(sink.written.inputRows, "row");
  await sink.abort();
  throw new AssayError(
    Reason.CONFIG_INVALID,
    `an earlier run left ${rows} of ${settings.output}, and this input cannot be gone on with: ${source.notResumable}. Start over with --restart`,
  );
}
