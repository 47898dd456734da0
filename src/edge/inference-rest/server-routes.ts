/** What the Open Inference Protocol says of a server: its name, whether it lives, whether it takes requests. */
import type { AssayError } from "../../errors.ts";
import type { ModelControl, ModelsService, Readiness } from "../../registry/models.ts";
import { type ServerFacts, serverMetadata } from "../inference/metadata.ts";
import type { ControlMode } from "../inference/model-control.ts";
import { inTritonsWords } from "../inference/triton-texts.ts";
import type { PlainResponse, PlainRoute } from "../plain/plain-http.ts";
import { placeInBody, restError } from "./rest-errors.ts";

/** What the resources are told of. */
export interface ResourceParts {
  readonly models: ModelsService;
  readonly facts: ServerFacts;
  readonly controlMode: ControlMode;
  readonly control?: ModelControl;
  /** Whether the log takes entries of a level. */
  readonly logs: (level: string) => boolean;
  /** With the drain that has been announced. */
  readonly readiness: () => Readiness;
}

const READ = ["GET", "HEAD"];

/** `/v2`, `/v2/health/live`, `/v2/health/ready`. */
export function serverRoutes({ facts, readiness }: ResourceParts): PlainRoute[] {
  return [
    resource("/v2", READ, () => ok(serverMetadata(facts))),
    { ...resource("/v2/health/live", READ, () => ok({ live: true })), isOpen: true },
    { ...resource("/v2/health/ready", READ, () => readyResponse(readiness())), isOpen: true },
  ];
}

function readyResponse({ ready }: Readiness): PlainResponse {
  return { status: ready ? 200 : 503, body: { ready, live: true } };
}

/** A resource whose errors are the protocol's. */
export function resource(
  pattern: string,
  methods: readonly string[],
  handle: PlainRoute["handle"],
): PlainRoute {
  return {
    pattern,
    methods,
    handle,
    errorResponse(error, { params: { model = "", version = "" } }) {
      const named = { modelName: model, modelVersion: version };
      return restError(inTritonsWords(error, named, placeInBody) as AssayError);
    },
  };
}

/** An answer that is as asked. */
export function ok(body: unknown): PlainResponse {
  return { status: 200, body };
}
