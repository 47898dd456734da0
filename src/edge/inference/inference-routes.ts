/** inference.GRPCInferenceService behind Connect's handlers: what is asked seldom, and inference in forms that are not read by hand. */
import { create, fromBinary } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import type { PredictStreamRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import {
  GRPCInferenceService,
  ModelConfigResponseSchema,
  type ModelInferRequest,
  type ModelInferResponse,
  ModelInferResponseSchema,
  ModelMetadataResponseSchema,
  ModelReadyResponseSchema,
  ModelStatisticsResponseSchema,
  type ModelStreamInferResponse,
  ModelStreamInferResponseSchema,
  RepositoryIndexResponseSchema,
  RepositoryModelLoadResponseSchema,
  RepositoryModelUnloadResponseSchema,
  ServerLiveResponseSchema,
  ServerMetadataResponseSchema,
  ServerReadyResponseSchema,
} from "../../../gen/inference/grpc_service_pb.ts";
import { AssayError } from "../../errors.ts";
import type { ModelControl, ModelsService } from "../../registry/models.ts";
import { shownName } from "../../wording/field-paths.ts";
import type { AnswerEncoder } from "../answer/answer-encoder.ts";
import { OctetParts } from "../answer/octet-parts.ts";
import { encodedAnswersKey } from "../connect/encoded-answers.ts";
import { callOf, edgeCallOf } from "../connect/interceptor.ts";
import { isLargeAnswer, writeBinary, writeItem, writeJson } from "./answer/answer-pieces.ts";
import type { InferAnswer } from "./answer/infer-answer.ts";
import { encodeAnswer, type InferParts, infer } from "./infer-forms.ts";
import { InferItems } from "./infer-items.ts";
import type { InferRequest } from "./infer-request.ts";
import {
  indexEntry,
  isModelReady,
  loadedModel,
  modelMetadata,
  type ServerFacts,
  serverMetadata,
} from "./metadata.ts";
import { tritonModelConfig } from "./model-config.ts";
import {
  type ControlMode,
  checkLoadParameters,
  checkUnloadParameters,
  controlled,
  modelNamed,
} from "./model-control.ts";
import { noSharedMemory } from "./parameters.ts";
import { modelStatistics } from "./statistics.ts";
import { inTritonsWords } from "./triton-texts.ts";

/** What the service is made of. */
export interface InferenceParts extends InferParts {
  readonly models: ModelsService;
  readonly facts: ServerFacts;
  readonly isReady: () => boolean;
  readonly encoder: AnswerEncoder;
  readonly controlMode: ControlMode;
  /** What loads and unloads; undefined: nothing can. */
  readonly control?: ModelControl;
}

/** Routes the service. */
export function inferenceRoutes(router: ConnectRouter, parts: InferenceParts): void {
  const { models, facts, isReady } = parts;
  router.service(GRPCInferenceService, {
    serverLive: () => create(ServerLiveResponseSchema, { live: true }),
    serverReady: () => create(ServerReadyResponseSchema, { ready: isReady() }),
    serverMetadata: () => create(ServerMetadataResponseSchema, serverMetadata(facts)),
    modelReady: ({ name, version }, context) =>
      create(ModelReadyResponseSchema, {
        ready: isModelReady(models, name, version, callOf(context).caller),
      }),
    modelMetadata: ({ name, version }, context) =>
      inTheirWords(name, version, () =>
        create(ModelMetadataResponseSchema, modelMetadata(models.get(name, version, callOf(context).caller))),
      ),
    repositoryIndex: ({ ready }, context) => {
      const listed = models.list(callOf(context).caller);
      const asked = ready ? listed.filter(({ state }) => state === ModelState.READY) : listed;
      return create(RepositoryIndexResponseSchema, { models: asked.map(indexEntry) });
    },
    repositoryModelLoad: async (message, context) => {
      const control = controlled(parts, "loaded");
      const modelName = modelNamed(message);
      checkLoadParameters(Object.keys(message.parameters));
      await control.load(modelName, callOf(context).caller);
      return create(RepositoryModelLoadResponseSchema);
    },
    repositoryModelUnload: async (message, context) => {
      const control = controlled(parts, "unloaded");
      const modelName = modelNamed(message);
      checkUnloadParameters(Object.keys(message.parameters));
      await control.unload(modelName, callOf(context).caller);
      return create(RepositoryModelUnloadResponseSchema);
    },
    modelConfig: ({ name, version }, context) =>
      inTheirWords(name, version, () => {
        const { caller } = callOf(context);
        const written = models.tritonConfig(name, version, caller);
        const config = tritonModelConfig(loadedModel(models.get(name, version, caller)), written);
        return create(ModelConfigResponseSchema, { config });
      }),
    modelStatistics: ({ name, version }, context) =>
      inTheirWords(name, version, async () => {
        const counts = await models.totals(name, version, callOf(context).caller);
        const modelStats = counts.map(modelStatistics);
        return create(ModelStatisticsResponseSchema, { modelStats });
      }),
    systemSharedMemoryStatus: ({ name }) => refuseSharedMemory("SystemSharedMemoryStatus", name),
    systemSharedMemoryRegister: ({ name }) => refuseSharedMemory("SystemSharedMemoryRegister", name),
    systemSharedMemoryUnregister: ({ name }) => refuseSharedMemory("SystemSharedMemoryUnregister", name),
    cudaSharedMemoryStatus: ({ name }) => refuseSharedMemory("CudaSharedMemoryStatus", name),
    cudaSharedMemoryRegister: ({ name }) => refuseSharedMemory("CudaSharedMemoryRegister", name),
    cudaSharedMemoryUnregister: ({ name }) => refuseSharedMemory("CudaSharedMemoryUnregister", name),
    traceSetting: () => refuseSetting("TraceSetting: the server takes no traces of requests"),
    logSettings: () =>
      refuseSetting("LogSettings: what is logged is set where the server starts, with --log-level"),
    modelStreamInfer: (messages, context) => streamedAnswers(messages, context, parts),
    modelInfer: async (message, context) => {
      const answer = await infer(parts, requestOf(message), callOf(context));
      const answers = context.values.get(encodedAnswersKey);
      if (answers === undefined || !isLargeAnswer(answer.response)) return messageOf(answer);
      const octets = new OctetParts();
      await answers.written(answers.isJson ? writeJson(answer, octets) : writeBinary(answer, octets), octets);
      return create(ModelInferResponseSchema);
    },
  });
}

async function inTheirWords<T>(
  modelName: string,
  modelVersion: string,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw inTritonsWords(error, { modelName, modelVersion }, (field) => field.replace(/^model_/, ""));
  }
}

function refuseSharedMemory(call: string, region: string): never {
  throw noSharedMemory(region === "" ? call : `${call} of ${shownName(region)}`);
}

function refuseSetting(why: string): never {
  throw new AssayError(Reason.UNIMPLEMENTED, why);
}

/** Answers in the forms that are not read by hand, one message an item. */
async function* streamedAnswers(
  messages: AsyncIterable<ModelInferRequest>,
  context: HandlerContext,
  { scoring, encoder }: InferenceParts,
): AsyncGenerator<ModelStreamInferResponse> {
  const edgeCall = edgeCallOf(context);
  const items = new InferItems(encoder);
  const answers = context.values.get(encodedAnswersKey);
  for await (const result of scoring.predictStream(itemsOf(messages, items), edgeCall.call)) {
    if ("error" in result) edgeCall.itemFailed(result.itemId, result.error);
    const { error, answer } = items.answerTo(result);
    if (answers !== undefined && isLargeAnswer(answer.response)) {
      const octets = new OctetParts();
      await answers.written(writeItem(answer, answers.isJson, octets), octets);
      yield create(ModelStreamInferResponseSchema);
      continue;
    }
    answers?.pass();
    yield create(ModelStreamInferResponseSchema, { errorMessage: error, inferResponse: messageOf(answer) });
  }
}

async function* itemsOf(
  messages: AsyncIterable<ModelInferRequest>,
  items: InferItems,
): AsyncGenerator<PredictStreamRequest> {
  for await (const message of messages) yield items.itemOf(requestOf(message));
}

/** What the message stands for, which whoever decoded it put in its place (`INFER_REQUEST_FORMS`). */
function requestOf(message: ModelInferRequest): InferRequest {
  return message as unknown as InferRequest;
}

/** The answer as Connect's handlers encode it. */
function messageOf(answer: InferAnswer): ModelInferResponse {
  return fromBinary(ModelInferResponseSchema, encodeAnswer(answer, 0));
}
