/** Triton's calls about the repository, and those that the server does not serve, each with the reason. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { AssayError } from "../../errors.ts";
import { shownName } from "../../wording/field-paths.ts";
import { decodeText } from "../decode/json-decoding.ts";
import { indexEntry } from "../inference/metadata.ts";
import { checkLoadParameters, checkUnloadParameters, controlled } from "../inference/model-control.ts";
import { noSharedMemory } from "../inference/parameters.ts";
import { JsonFaults } from "../json/json-faults.ts";
import { type ExactObject, JsonText } from "../json/json-text.ts";
import { memoryPerMessage } from "../memory/message-limit.ts";
import type { PlainRequest, PlainRoute } from "../plain/plain-http.ts";
import { objectOf } from "./infer-members.ts";
import { ok, type ResourceParts, resource } from "./server-routes.ts";

const SEND = ["POST"];

/** `/v2/repository`: the index, loading and unloading. */
export function repositoryRoutes(parts: ResourceParts): PlainRoute[] {
  const index = ({ bytes, call }: PlainRequest) => {
    const { ready } = bodyObject(bytes);
    if (ready !== undefined && ready !== null && typeof ready !== "boolean") {
      throw invalid("ready", "true or false is expected");
    }
    const listed = parts.models.list(call.caller);
    const asked = ready === true ? listed.filter(({ state }) => state === ModelState.READY) : listed;
    return ok(asked.map(indexEntry));
  };
  const load = async ({ params, bytes, call }: PlainRequest) => {
    const control = controlled(parts, "loaded");
    checkLoadParameters(parameterNames(bodyObject(bytes)));
    await control.load(params.model!, call.caller);
    return ok({});
  };
  const unload = async ({ params, bytes, call }: PlainRequest) => {
    const control = controlled(parts, "unloaded");
    checkUnloadParameters(parameterNames(bodyObject(bytes)));
    await control.unload(params.model!, call.caller);
    return ok({});
  };
  return ["/v2/repository", "/v2/repository/{repository}"].flatMap((repository) => [
    resource(`${repository}/index`, SEND, index),
    resource(`${repository}/models/{model}/load`, SEND, load),
    resource(`${repository}/models/{model}/unload`, SEND, unload),
  ]);
}

function parameterNames({ parameters }: ExactObject): readonly string[] {
  return typeof parameters === "object" && parameters !== null ? Object.keys(parameters) : [];
}

/** Shared memory, texts that are generated, traces and the log: what is in effect is told, and what is to be done is not. */
export function unservedRoutes(parts: ResourceParts): PlainRoute[] {
  const memory = ["systemsharedmemory", "cudasharedmemory"].flatMap((kind) => {
    const refuse = ({ params: { region } }: PlainRequest): never => {
      throw noSharedMemory(region === undefined ? kind : `${kind} of ${shownName(region)}`);
    };
    return [
      resource(`/v2/${kind}/status`, READ, refuse),
      resource(`/v2/${kind}/region/{region}/status`, READ, refuse),
      resource(`/v2/${kind}/region/{region}/register`, SEND, refuse),
      resource(`/v2/${kind}/unregister`, SEND, refuse),
      resource(`/v2/${kind}/region/{region}/unregister`, SEND, refuse),
    ];
  });
  const generated = ["", "/versions/{version}"].flatMap((version) =>
    ["generate", "generate_stream"].map((what) =>
      resource(`/v2/models/{model}${version}/${what}`, SEND, ({ params: { model } }) => {
        throw unset(
          `${what} is for models that write texts token by token, which the server has none of; send tensors to /v2/models/${model}/infer`,
        );
      }),
    ),
  );
  const trace = ({ method }: PlainRequest) => {
    if (method === "POST") throw unset("the server takes no traces of requests");
    return ok(NO_TRACE);
  };
  const logging = ({ method }: PlainRequest) => {
    if (method === "POST") throw unset("what is logged is set where the server starts, with --log-level");
    return ok({
      log_file: "",
      log_info: parts.logs("info"),
      log_warning: parts.logs("warn"),
      log_error: parts.logs("error"),
      log_verbose_level: parts.logs("trace") ? 2 : Number(parts.logs("debug")),
      log_format: "default",
    });
  };
  return [
    ...memory,
    ...generated,
    resource("/v2/trace/setting", BOTH, trace),
    resource("/v2/models/{model}/trace/setting", BOTH, trace),
    resource("/v2/logging", BOTH, logging),
  ];
}

const READ = ["GET", "HEAD"];
const BOTH = ["GET", "HEAD", "POST"];
/** Triton's settings where nothing is traced. */
const NO_TRACE = {
  trace_level: ["OFF"],
  trace_rate: "1000",
  trace_count: "-1",
  log_frequency: "0",
  trace_file: "",
  trace_mode: "triton",
};

function unset(why: string): AssayError {
  return new AssayError(Reason.UNIMPLEMENTED, why);
}

function invalid(field: string, description: string): AssayError {
  return new AssayError(Reason.INVALID_REQUEST, `${field}: ${description}`, {
    violations: [{ field, description, rule: "json.boolean" }],
  });
}

const NOTHING: ExactObject = {};

/** Larger ones could only hold files, which models are not loaded from. */
const MOST_BYTES = 65_536;
const LIMITS = { maxMessageBytes: MOST_BYTES, maxHeapBytes: memoryPerMessage(MOST_BYTES) };

/** The JSON object of a small body; an empty one where nothing came. Throws INVALID_REQUEST, MESSAGE_TOO_LARGE. */
function bodyObject(bytes: Uint8Array): ExactObject {
  if (bytes.length === 0) return NOTHING;
  if (bytes.length > MOST_BYTES) {
    const what = `${bytes.length} bytes came; a body has ${MOST_BYTES} at most here, and brings no files: models are loaded as they lie in the repository`;
    throw new AssayError(Reason.MESSAGE_TOO_LARGE, what, { limit: "control-body-bytes" });
  }
  const text = new JsonText(decodeText(bytes), LIMITS);
  while (!text.run());
  const faults = new JsonFaults();
  const object = objectOf(text.value, "", faults);
  faults.throwIfAny();
  return object ?? NOTHING;
}
