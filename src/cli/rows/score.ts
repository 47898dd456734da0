import { readdirSync } from "node:fs";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { orderGpusByPci } from "../../config/environment.ts";
import { SCORE_FLAGS } from "../../config/flag-table.ts";
import type { SettingsSources } from "../../config/read-settings.ts";
import { readScoreSettings, type ScoreSettings } from "../../config/score-settings.ts";
import { AssayError } from "../../errors.ts";
import { runScore } from "../../job/score-run.ts";
import { createLog } from "../../telemetry/log.ts";
import { listed } from "../../wording/field-paths.ts";
import { knownFlags, type ParsedArguments, parseArguments, wrongArguments } from "../arguments.ts";
import { endProcess } from "../end-process.ts";
import { runInterruptible, say, sayStrayVariables } from "../interruptible.ts";

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
  const parsed = parseArguments(argv, knownFlags(SCORE_FLAGS));
  const { flags, paths, repeated } = repeatedFlags(parsed);
  const problems = [...parsed.problems, ...repeated.map((name) => `--${name} came more than once`)];
  if (problems.length > 0) throw wrongArguments(problems, "score");
  const settings = readSettings({ flags, environment }, [...paths, ...parsed.positionals]);
  sayStrayVariables("assay score", environment);
  const resumable = settings.output !== "-" && !settings.inputs.includes("-") && !settings.dryRun;
  const interrupted = `interrupted${resumable ? "; the same command goes on where it stopped" : ""}`;
  // Whoever read them may be gone: the one that the scores go to ends the run by its write, the other ends nothing.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  orderGpusByPci();
  return runInterruptible({
    name: "assay score",
    interrupted,
    onInterrupt() {
      setTimeout(() => {
        say("assay score", interrupted);
        endProcess(130);
      }, LAST_WORDS_MS).unref();
    },
    run: (signal) =>
      runScore({
        settings,
        environment,
        log: createLog("error"),
        stdout: process.stdout,
        stderr: process.stderr,
        signal,
      }),
  });
}

/** The settings; where the model is missing, those that there are stand behind what is wrong. */
function readSettings(sources: SettingsSources, paths: readonly string[]): ScoreSettings {
  try {
    return readScoreSettings(sources, paths);
  } catch (error) {
    const isMissing = error instanceof AssayError && /^--model is missing/m.test(error.message);
    const { flags, environment } = sources;
    if (!isMissing || flags.has("server") || environment.ASSAY_SERVER !== undefined) throw error;
    const folder = flags.get("models") ?? environment.ASSAY_MODELS ?? "models";
    const names = modelFolders(folder);
    if (names.length === 0) throw error;
    throw new AssayError(Reason.CONFIG_INVALID, `${error.message}\n${folder} has ${listed(names)}`);
  }
}

function modelFolders(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isFile() && !entry.name.startsWith("."))
      .map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}

/** Flags whose values add up where they come again; `input` is no list, so that a query may hold commas. */
function repeatedFlags({ flags: last, all }: ParsedArguments) {
  const flags = new Map(last);
  const repeated: string[] = [];
  for (const [name, values] of all) {
    const isList = SCORE_FLAGS.find((row) => row.name === name)?.field.fieldKind === "list";
    if (name === "input") flags.set(name, values[0]!);
    else if (isList) flags.set(name, values.join(","));
    else if (values.length > 1) repeated.push(name);
  }
  return { flags, paths: all.get("input")?.slice(1) ?? [], repeated };
}
