/** What the Open Inference Protocol and Triton say of models: which there are, what each takes and gives, whether it takes requests, what it did. */
import { create } from "@bufbuild/protobuf";
import { ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { ModelStatisticsResponseSchema } from "../../../gen/inference/grpc_service_pb.ts";
import { ModelConfigSchema } from "../../../gen/inference/model_config_pb.ts";
import { loadedModel, modelMetadata } from "../inference/metadata.ts";
import { tritonModelConfig } from "../inference/model-config.ts";
import { modelStatistics } from "../inference/statistics.ts";
import type { PlainRequest, PlainRoute } from "../plain/plain-http.ts";
import { plainJson } from "./plain-json.ts";
import { ok, type ResourceParts, resource } from "./server-routes.ts";

const READ = ["GET", "HEAD"];

/** `/v2/models`, and of each model its metadata and whether it is ready. */
export function modelRoutes({ models }: ResourceParts): PlainRoute[] {
  const metadata = ({ params, call }: PlainRequest) => {
    const { model = "", version = "" } = params;
    const { inputs, outputs, ...rest } = modelMetadata(models.get(model, version, call.caller));
    return ok({ ...rest, inputs: inputs.map(inNumbers), outputs: outputs.map(inNumbers) });
  };
  const ready = ({ params, call }: PlainRequest) => {
    const { model = "", version = "" } = params;
    const { modelName: name, state } = models.get(model, version, call.caller).model!;
    const isReady = state === ModelState.READY;
    return { status: isReady ? 200 : 503, body: { name, ready: isReady } };
  };
  const config = ({ params, call }: PlainRequest) => {
    const { model = "", version = "" } = params;
    const written = models.tritonConfig(model, version, call.caller);
    const inEffect = tritonModelConfig(loadedModel(models.get(model, version, call.caller)), written);
    return ok(plainJson(ModelConfigSchema, inEffect));
  };
  const statistics = async ({ params, call }: PlainRequest) => {
    const { model = "", version = "" } = params;
    const modelStats = (await models.totals(model, version, call.caller)).map(modelStatistics);
    return ok(
      plainJson(ModelStatisticsResponseSchema, create(ModelStatisticsResponseSchema, { modelStats })),
    );
  };
  return [
    resource("/v2/models/stats", READ, statistics),
    resource("/v2/models", READ, ({ call }) => {
      const names = models.list(call.caller).map(({ modelName }) => modelName);
      return ok({ models: [...new Set(names)] });
    }),
    ...ofModel("", metadata),
    ...ofModel("/ready", ready),
    ...ofModel("/config", config),
    ...ofModel("/stats", statistics),
  ];
}

/** Rows for a model and for one of its versions. */
function ofModel(
  rest: string,
  handle: PlainRoute["handle"],
  methods: readonly string[] = READ,
): PlainRoute[] {
  return [`/v2/models/{model}${rest}`, `/v2/models/{model}/versions/{version}${rest}`].map((pattern) =>
    resource(pattern, methods, handle),
  );
}

function inNumbers({ shape, ...rest }: ReturnType<typeof modelMetadata>["inputs"][number]) {
  return { ...rest, shape: shape.map(Number) };
}
