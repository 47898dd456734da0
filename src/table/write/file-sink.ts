/**
 * The sink that writes a file. Comes in: results in the order of the input. Goes out: part files in a folder beside the
 * output, `<output>.parts`, at the end joined into the output, which appears under its name only when it is complete.
 * Promises: a run that is killed at any moment loses at most the two parts it was filling and writing; the next run with
 * the same input, model and settings goes on from there and gives the same file, any other is refused by name; memory is
 * that of two parts, whatever the output's size. `resume-policy.ts` says what a run finds and what it does then.
 */
import { lstat, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { DuckDBType } from "@duckdb/node-api";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { type OutputPacking, outputPacking } from "../format-endings.ts";
import type { ResultColumns } from "../result-rows.ts";
import type { TableSink, WrittenRows } from "../table-sink.ts";
import type { TableFormat } from "../table-source.ts";
import { writeFailure } from "../write-failure.ts";
import { MANIFEST_VERSION, type Manifest, type ManifestFingerprint } from "./manifest.ts";
import { outputColumns } from "./output-columns.ts";
import { openOutputDatabase } from "./output-database.ts";
import {
  clearFolder,
  deleteHalfWritten,
  identityOf,
  inFolder,
  JOINED_FILE,
  partFolder,
  removeEmptyFolder,
  renameForGood,
  SPILL_FOLDER,
  writeManifest,
} from "./parts/part-folder.ts";
import { joinParts } from "./parts/part-join.ts";
import { createPartWriter, type PartLimits, writtenRows } from "./parts/part-writer.ts";
import { outputExists, type ResumedRun, resumeRun } from "./resume-run.ts";

/** Options of a file sink. */
export interface FileSinkOptions extends Partial<PartLimits> {
  readonly outputPath: string;
  readonly format: TableFormat;
  /** Default: as the output's name says. */
  readonly packing?: OutputPacking;
  readonly columns: ResultColumns;
  /** The types of `columns.keep`, as the source has them. */
  readonly keepTypes: readonly DuckDBType[];
  readonly fingerprint: ManifestFingerprint;
  /** Replace an output that is there. */
  readonly overwrite: boolean;
  /** Throw away what an earlier run left. */
  readonly restart: boolean;
  /** What DuckDB may hold; the rest of a part goes to disk beside it. Default 256. */
  readonly memoryMegabytes?: number;
}

const DEFAULT_LIMITS: PartLimits = { partRows: 1_000_000, partBytes: 16 << 20, partIntervalMs: 30_000 };

/**
 * Opens the sink: `written` is what an earlier run left, and rows are expected from there on. Throws CONFIG_INVALID or
 * TABLE_INVALID, before anything is written, where the output is there, another run writes it, or an earlier run had
 * another input, model or settings.
 */
export async function openFileSink(options: FileSinkOptions): Promise<TableSink> {
  const { outputPath, format, overwrite } = options;
  const packing = options.packing ?? outputPacking(outputPath, format, "");
  const folder = partFolder(outputPath);
  const columns = outputColumns(options.columns, options.keepTypes, format);
  await checkPlace(outputPath, options.fingerprint.inputs);
  const now: Manifest = {
    manifestVersion: MANIFEST_VERSION,
    state: "writing",
    fingerprint: options.fingerprint,
    output: { format, columns: columns.map(({ name, type }) => ({ name, type: String(type) })) },
    parts: [],
  };
  const run = await resumeRun(folder, now, options).catch((error: unknown) => {
    throw writeFailure(folder.name, error);
  });
  const database = await openOutputDatabase(
    inFolder(folder, SPILL_FOLDER),
    options.memoryMegabytes ?? 256,
  ).catch(async (error: unknown) => {
    await run.lock.release();
    throw writeFailure(folder.name, error);
  });
  const limits: PartLimits = {
    partRows: options.partRows ?? DEFAULT_LIMITS.partRows,
    partBytes: options.partBytes ?? DEFAULT_LIMITS.partBytes,
    partIntervalMs: options.partIntervalMs ?? DEFAULT_LIMITS.partIntervalMs,
  };
  const begun: Manifest = { ...run.manifest, state: "writing" };
  const parts = createPartWriter(database, folder, options.columns, columns, packing, limits, begun);
  let expectedRow = writtenRows(begun).inputRows;

  let hasEnded = false;

  async function leave({ lock }: ResumedRun): Promise<void> {
    hasEnded = true;
    database.close();
    await deleteHalfWritten(folder);
    await lock.release();
    await removeEmptyFolder(folder.path);
  }

  async function join(): Promise<Manifest> {
    await parts.flush();
    const joining: Manifest = { ...parts.manifest, state: "joining" };
    await writeManifest(folder.path, joining);
    const path = inFolder(folder, JOINED_FILE);
    await joinParts(database, folder.path, joining.parts, columns, format, packing, `${path}.tmp`);
    await renameForGood(`${path}.tmp`, path);
    const renaming: Manifest = { ...joining, state: "renaming", joined: (await identityOf(path))! };
    await writeManifest(folder.path, renaming);
    return renaming;
  }

  async function finish(): Promise<void> {
    if (run.step !== "rename" && run.step !== "clean") await join();
    if (run.step !== "clean") {
      if (!overwrite && (await identityOf(outputPath)) !== undefined) throw outputExists(outputPath);
      await renameForGood(inFolder(folder, JOINED_FILE), resolve(outputPath));
    }
    await clearFolder(folder.path, run.lock.name);
  }

  function failure(error: unknown): unknown {
    const kept = `; what was written stays in ${folder.name}, and the same command goes on from it`;
    return writeFailure(outputPath, error, parts.manifest.parts.length === 0 ? "" : kept);
  }

  /** Leaves nothing where there is nothing to go on from. */
  async function stop(): Promise<void> {
    await parts.stop();
    if (parts.manifest.parts.length === 0) await clearFolder(folder.path, run.lock.name);
  }

  return {
    get written() {
      return writtenRows(parts.manifest);
    },
    async append(chunk, results) {
      if (chunk.fromRow !== expectedRow)
        throw new RangeError(`row ${chunk.fromRow} came, ${expectedRow} was next`);
      if (run.step === "rename" || run.step === "clean" || run.step === "join") throw longerInput(outputPath);
      expectedRow += results.rowCount;
      try {
        await parts.append(chunk, results);
      } catch (error) {
        throw failure(error);
      }
    },
    async finish(): Promise<WrittenRows> {
      try {
        await finish();
        return writtenRows(parts.manifest);
      } catch (error) {
        await stop();
        throw failure(error);
      } finally {
        await leave(run);
      }
    },
    async abort() {
      if (hasEnded) return;
      await stop();
      await leave(run);
    },
  };
}

async function checkPlace(outputPath: string, inputs: ManifestFingerprint["inputs"]): Promise<void> {
  const folder = dirname(outputPath);
  const found = await stat(folder).catch((error: unknown) => {
    throw writeFailure(outputPath, error, ` (${folder})`);
  });
  if (!found.isDirectory())
    throw new AssayError(Reason.TABLE_INVALID, `cannot write ${outputPath}: ${folder} is no folder`);
  const output = await lstat(outputPath).catch(() => undefined);
  if (output === undefined) return;
  if (!output.isFile()) {
    const what = output.isDirectory() ? "a folder" : output.isSymbolicLink() ? "a link" : "no ordinary file";
    throw new AssayError(
      Reason.TABLE_INVALID,
      `cannot write ${outputPath}: it is ${what}, and the output replaces whatever has its name; name a file, or - for standard output`,
    );
  }
  for (const { name } of inputs) {
    const input = await stat(name).catch(() => undefined);
    if (input?.ino === output.ino && input.dev === output.dev) {
      throw new AssayError(
        Reason.TABLE_INVALID,
        `cannot write ${outputPath}: it is read as ${name}; name another file`,
      );
    }
  }
}

function longerInput(outputPath: string): AssayError {
  const message = `the input has more rows than when ${outputPath} was complete: start over with --restart`;
  return new AssayError(Reason.TABLE_INVALID, message);
}
