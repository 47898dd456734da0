/** inference.GRPCInferenceService behind Connect's handlers: what is asked seldom, and inference in forms that are not read by hand. */
import { create, fromBinary } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import {
  GRPCInferenceService,
  type ModelInferResponse,
  ModelInferResponseSchema,
  ModelMetadataResponseSchema,
  ModelReadyResponseSchema,
  RepositoryIndexResponseSchema,
  ServerLiveResponseSchema,
  ServerMetadataResponseSchema,
  ServerReadyResponseSchema,
} from "../../../gen/inference/grpc_service_pb.ts";
import { callOf } from "../connect/interceptor.ts";
import type { InferAnswer } from "./infer-answer.ts";
import { encodeAnswer, type InferParts, infer } from "./infer-forms.ts";
import { inferRequest } from "./infer-request.ts";
import { indexEntry, isModelReady, modelMetadata, type ServerFacts, serverMetadata } from "./metadata.ts";
import { inTritonsWords } from "./triton-texts.ts";

/** What the service is made of. */
export interface InferenceParts extends InferParts {
  readonly facts: ServerFacts;
  readonly isReady: () => boolean;
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
    modelInfer: async (message, context) =>
      messageOf(await infer(parts, inferRequest(message), callOf(context))),
  });
}

function inTheirWords<T>(modelName: string, modelVersion: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw inTritonsWords(error, { modelName, modelVersion }, (field) => field.replace(/^model_/, ""));
  }
}

/** The answer as Connect's handlers encode it. */
function messageOf(answer: InferAnswer): ModelInferResponse {
  return fromBinary(ModelInferResponseSchema, encodeAnswer(answer, 0));
}
