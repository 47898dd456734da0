import { toJsonString } from "@bufbuild/protobuf";
import { PredictRequestSchema, PredictResponseSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { readClientKey } from "../config/client-key.ts";
import { callExample, type ExampleCall } from "../load/example-call.ts";
import { type KnownFlags, parseArguments, wrongArguments } from "./arguments.ts";
import { callLines, DEFAULT_URL } from "./banner.ts";
import { runInterruptible } from "./interruptible.ts";

const FLAGS: KnownFlags = {
  kinds: new Map([
    ["server", "value"],
    ["key-file", "value"],
    ["json", "switch"],
  ]),
  shorts: new Map([["s", "server"]]),
};

/**
 * `assay try [MODEL]`: scores the example row of a model with a server that runs and shows both. Returns the exit code: 0; 1 where it was
 * not scored; 2 for wrong arguments.
 */
export async function tryModel(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  stdout: { write(text: string): unknown },
): Promise<number> {
  const { flags, positionals, problems: unread } = parseArguments(argv, FLAGS);
  const more = positionals.slice(1).map((word) => `${word} came, and one model is tried at a time`);
  const problems = [...unread, ...more];
  const key = readClientKey(flags.get("key-file") ?? "", "--key-file", environment, problems);
  if (problems.length > 0) throw wrongArguments(problems, "try");
  return runInterruptible({
    name: "assay try",
    interrupted: "interrupted",
    async run(signal) {
      const call = await callExample(flags.get("server") ?? DEFAULT_URL, positionals[0] ?? "", key, signal);
      const json = flags.get("json") === "true";
      stdout.write(json ? `${toJsonString(PredictResponseSchema, call.answer)}\n` : shown(call));
      return 0;
    },
  });
}

function shown({ origin, request, answer, tookMs }: ExampleCall): string {
  const { modelName, modelVersion } = answer;
  const { host, protocol } = new URL(origin);
  const lines = [
    `${modelName} version ${modelVersion} on ${origin} answered in ${tookMs.toFixed(1)} ms`,
    `  request  ${toJsonString(PredictRequestSchema, request, { useProtoFieldName: true })}`,
    `  answer   ${toJsonString(PredictResponseSchema, answer, { useProtoFieldName: true })}`,
    "The same call to paste:",
    ...callLines(request, { where: host, encrypted: protocol === "https:" }),
  ];
  return `${lines.join("\n")}\n`;
}
