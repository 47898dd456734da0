import { fromBinary, toBinary, toJsonString } from "@bufbuild/protobuf";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import {
  PredictRequestSchema,
  type PredictResponse,
  PredictResponseSchema,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../errors.ts";
import { openConnection } from "../scorer/remote/connection.ts";
import { callUnary } from "../scorer/remote/grpc-call.ts";
import { parseServerUrl, type ServerUrl } from "../scorer/remote/server-url.ts";
import { askModel } from "../scorer/remote/stream-connection.ts";
import { wantedModel } from "../scorer/wanted-model.ts";
import { type KnownFlags, parseArguments, wrongArguments } from "./arguments.ts";
import { callLines, DEFAULT_URL } from "./banner.ts";
import { runInterruptible } from "./interruptible.ts";

const FLAGS: KnownFlags = {
  kinds: new Map([
    ["server", "value"],
    ["json", "switch"],
  ]),
  shorts: new Map([["s", "server"]]),
};
const PREDICT = "/assay.v1.ScoringService/Predict";
const TIMEOUT_MS = 10_000;
const KEEPALIVE_MS = 20_000;

/**
 * `assay try [MODEL]`: scores the example row of a model with a server that runs and shows both. Returns the exit code: 0; 1 where it was
 * not scored; 2 for wrong arguments.
 */
export async function tryModel(
  argv: readonly string[],
  stdout: { write(text: string): unknown },
): Promise<number> {
  const { flags, positionals, problems: unread } = parseArguments(argv, FLAGS);
  const more = positionals.slice(1).map((word) => `${word} came, and one model is tried at a time`);
  if (unread.length + more.length > 0) throw wrongArguments([...unread, ...more], "try");
  const url = parseServerUrl(flags.get("server") ?? DEFAULT_URL);
  return runInterruptible({
    name: "assay try",
    interrupted: "interrupted",
    async run(signal) {
      const { text, answer } = await exampleScored(url, positionals[0] ?? "", signal);
      stdout.write(flags.has("json") ? `${toJsonString(PredictResponseSchema, answer)}\n` : text);
      return 0;
    },
  });
}

async function exampleScored(
  url: ServerUrl,
  named: string,
  signal: AbortSignal,
): Promise<{ text: string; answer: PredictResponse }> {
  const { name: modelName, version: modelVersion = "" } = wantedModel(named);
  const { origin } = url;
  const connection = await openConnection(
    { url, connectTimeoutMs: TIMEOUT_MS, keepaliveMs: KEEPALIVE_MS },
    signal,
  );
  try {
    const model = await askModel(connection.session, { url, modelName, modelVersion });
    const { exampleRequest: request } = model;
    if (request === undefined)
      throw new AssayError(Reason.MODEL_INVALID, `${origin} has no example row for ${model.modelName}`);
    if (modelVersion !== "") request.modelVersion = modelVersion;
    const beganMs = performance.now();
    const octets = toBinary(PredictRequestSchema, request);
    const answer = fromBinary(
      PredictResponseSchema,
      await callUnary(connection.session, origin, PREDICT, octets, TIMEOUT_MS),
    );
    const tookMs = (performance.now() - beganMs).toFixed(1);
    const lines = [
      `${answer.modelName} version ${answer.modelVersion} on ${origin} answered in ${tookMs} ms`,
      `  request  ${toJsonString(PredictRequestSchema, request, { useProtoFieldName: true })}`,
      `  answer   ${toJsonString(PredictResponseSchema, answer, { useProtoFieldName: true })}`,
      "The same call to paste:",
      ...callLines(request, { where: new URL(origin).host, encrypted: url.isSecure }),
    ];
    return { text: `${lines.join("\n")}\n`, answer };
  } catch (error) {
    const isLost = error instanceof AssayError && error.reason === Reason.SERVER_UNREACHABLE;
    throw isLost ? (connection.failure ?? error) : error;
  } finally {
    connection.destroy();
  }
}
