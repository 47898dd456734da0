import { create } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import {
  GetModelResponseSchema,
  ListModelsResponseSchema,
  ModelService,
} from "../../../gen/assay/v1/model_service_pb.ts";
import {
  type PredictStreamResponse,
  ScoringService as ScoringServiceDesc,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { ModelsService } from "../../registry/models.ts";
import type { ItemResult, ScoringService } from "../../service/scoring.ts";
import { isLargeAnswer } from "../answer/answer-encoder.ts";
import { encodedAnswersKey } from "./encoded-answers.ts";
import { callOf, edgeCallOf } from "./interceptor.ts";
import { itemResponse } from "./item-response.ts";

/** Routes assay.v1.ScoringService to the scoring service. */
export function scoringRoutes(router: ConnectRouter, scoring: ScoringService): void {
  router.service(ScoringServiceDesc, {
    predict: async (request, context) => {
      const response = await scoring.predict(request, callOf(context));
      const answers = context.values.get(encodedAnswersKey);
      return answers !== undefined && isLargeAnswer(response) ? answers.unary(response) : response;
    },
    predictStream: (requests, context) =>
      itemResponses(scoring.predictStream(requests, callOf(context)), context),
    predictRows: (request, context) => itemResponses(scoring.predictRows(request, callOf(context)), context),
  });
}

/** Routes assay.v1.ModelService to the models service. */
export function modelRoutes(router: ConnectRouter, models: ModelsService): void {
  router.service(ModelService, {
    listModels: (_request, context) =>
      create(ListModelsResponseSchema, { models: models.list(callOf(context).caller) }),
    getModel: ({ modelName, modelVersion }, context) =>
      create(GetModelResponseSchema, models.get(modelName, modelVersion, callOf(context).caller)),
  });
}

async function* itemResponses(
  results: AsyncIterable<ItemResult>,
  context: HandlerContext,
): AsyncGenerator<PredictStreamResponse> {
  const edgeCall = edgeCallOf(context);
  const json = speaksJson(context);
  const answers = context.values.get(encodedAnswersKey);
  for await (const result of results) {
    if ("error" in result) edgeCall.itemFailed(result.itemId, result.error);
    else if (answers !== undefined && isLargeAnswer(result.response)) {
      yield await answers.item(result.itemId, result.response);
      continue;
    }
    answers?.pass();
    yield itemResponse(result, json);
  }
}

/** Whether a stream's messages are JSON, in any protocol. */
function speaksJson({ requestHeader }: HandlerContext): boolean {
  return /\+json\b/i.test(requestHeader.get("content-type") ?? "");
}
