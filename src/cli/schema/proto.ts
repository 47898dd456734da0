import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { scanPath } from "../../model/repository.ts";
import { typedSchema } from "../../model/typed-schema.ts";
import { schemaFolder } from "../../package-files.ts";
import { type KnownFlags, parseArguments, wrongArguments } from "../arguments.ts";

const FLAGS: KnownFlags = {
  kinds: new Map([
    ["models", "value"],
    ["out", "value"],
  ]),
  shorts: new Map([
    ["m", "models"],
    ["o", "out"],
  ]),
};
/** What callers of ScoringService need: the schema, and what it imports. */
const OF_CALLERS = [
  "assay/v1",
  "assay/config/v1/model_config.proto",
  "assay/config/v1/flag.proto",
  "buf",
  "google",
];

/**
 * `assay proto MODEL`: a `.proto` with the columns of a model, typed; `assay proto --out DIR`: the schema of Assay's services, as files. Returns the
 * exit code: 0; 1 where the model cannot be read; 2 for wrong arguments.
 */
export async function proto(
  argv: readonly string[],
  stdout: { write(text: string): unknown },
  stderr: { write(text: string): unknown },
): Promise<number> {
  const { flags, positionals, problems } = parseArguments(argv, FLAGS);
  const out = flags.get("out");
  const wrong = [
    ...problems,
    ...positionals.slice(1).map((word) => `${word} came, and one model is written at a time`),
  ];
  if (positionals.length === 0 && out === undefined)
    wrong.push("no model came; expected MODEL, or --out DIR for Assay's own schema");
  if (positionals.length > 0 && out !== undefined)
    wrong.push("a model and --out came; a model's .proto goes to standard output");
  if (wrong.length > 0) throw wrongArguments(wrong, "proto");
  if (out !== undefined) {
    for (const part of OF_CALLERS) cpSync(join(schemaFolder(), part), join(out, part), { recursive: true });
    stderr.write(`wrote assay/v1 and what it imports to ${out}\n`);
    return 0;
  }
  try {
    stdout.write(await typed(positionals[0]!, flags.get("models") ?? "models"));
    return 0;
  } catch (cause) {
    if (!(cause instanceof AssayError)) throw cause;
    stderr.write(`assay proto: ${cause.message}\n`);
    return 1;
  }
}

/** The text for a path, or for a model of the repository: NAME or NAME:VERSION. */
async function typed(word: string, models: string): Promise<string> {
  const path = existsSync(word) ? word : join(models, ...word.split(":"));
  const found = await scanPath(path);
  const served = found.filter((one) => one.kind === "prepared").map((one) => one.model);
  const names = [
    ...new Set(found.map((one) => (one.kind === "prepared" ? one.model.modelName : one.modelName))),
  ];
  if (names.length > 1) {
    throw new AssayError(Reason.CONFIG_INVALID, `${path} holds ${names.join(", ")}: name one of them`);
  }
  const [refused] = found.filter((one) => one.kind === "refused");
  const newest = served.at(-1);
  if (newest !== undefined) return typedSchema(newest);
  throw new AssayError(
    Reason.MODEL_INVALID,
    refused?.reason ?? `${path}: no models; expected a model file or <name>/<version>/model.onnx`,
  );
}
