/** What the Open Inference Protocol says of a server: its name, whether it lives, whether it takes requests. */
import { packageVersion } from "../../package-files.ts";
import type { ModelsService, Readiness } from "../../registry/models.ts";
import type { PlainResponse, PlainRoute } from "../plain/plain-http.ts";
import { restError } from "./rest-errors.ts";

/** What the resources are told of. */
export interface ResourceParts {
  readonly models: ModelsService;
  /** With the drain that has been announced. */
  readonly readiness: () => Readiness;
}

/** What Triton's clients may use. */
const EXTENSIONS = [
  "binary_tensor_data",
  "classification",
  "model_configuration",
  "model_repository",
  "parameters",
  "statistics",
];

const READ = ["GET", "HEAD"];

/** `/v2`, `/v2/health/live`, `/v2/health/ready`. */
export function serverRoutes({ readiness }: ResourceParts): PlainRoute[] {
  const version = packageVersion();
  return [
    resource("/v2", READ, () => ok({ name: "assay", version, extensions: EXTENSIONS })),
    resource("/v2/health/live", READ, () => ok({ live: true })),
    resource("/v2/health/ready", READ, () => {
      const { ready } = readiness();
      return { status: ready ? 200 : 503, body: { ready, live: true } };
    }),
  ];
}

/** A resource whose errors are the protocol's. */
export function resource(
  pattern: string,
  methods: readonly string[],
  handle: PlainRoute["handle"],
): PlainRoute {
  return { pattern, methods, handle, errorResponse: restError };
}

/** An answer that is as asked. */
export function ok(body: unknown): PlainResponse {
  return { status: 200, body };
}
