/** `ModelStreamInfer`: requests as items of a stream, which are scored side by side and answered in their order. */
import type { Message } from "@bufbuild/protobuf";
import type { PredictStreamRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import {
  GRPCInferenceService,
  type ModelInferRequest,
  ModelInferRequestSchema,
  ModelStreamInferResponseSchema,
} from "../../../gen/inference/grpc_service_pb.ts";
import { AssayError } from "../../errors.ts";
import { ANONYMOUS } from "../../registry/caller.ts";
import type { ModelsService } from "../../registry/models.ts";
import type { ItemResult } from "../../service/scoring.ts";
import { refusedItems } from "../../service/stream/refused-items.ts";
import { COMPRESSED_FLAG, framed, PREFIX_BYTES } from "../../wire/grpc-frame.ts";
import { plainTag } from "../../wire/plain-tag.ts";
import { fieldBytes, WireWriter } from "../../wire/wire-writer.ts";
import { publicMessage } from "../call/error-details.ts";
import type { MessageForm } from "../decode/message-decoder.ts";
import type { AnswerCompression, ItemForm, ItemProcedure } from "../grpc/item-form.ts";
import { COMPRESS_MIN_BYTES } from "../unary/unary-form.ts";
import { MeasuredAnswer } from "./infer-answer.ts";
import { answerTo, type InferParts, placeInRequest } from "./infer-forms.ts";
import { InferRequest, inferRequest } from "./infer-request.ts";
import { InferRequestReader } from "./infer-request-reader.ts";
import { inTritonsWords } from "./triton-texts.ts";

const ERROR_MESSAGE = plainTag(ModelStreamInferResponseSchema, "errorMessage");
const INFER_RESPONSE = plainTag(ModelStreamInferResponseSchema, "inferResponse");
const FORM: MessageForm = { desc: ModelInferRequestSchema, isJson: false };
/** Answered items whose places are kept before the list is cut. */
const KEPT_PLACES = 1024;

/** The path of `ModelStreamInfer`, and the form of its items. */
export function inferStream({ models }: InferParts): ItemProcedure {
  const { typeName, method } = GRPCInferenceService;
  const reader = new InferRequestReader();
  return {
    path: `/${typeName}/${method.modelStreamInfer.name}`,
    open: () => new InferItems(models, reader),
  };
}

/** The items of one call: requests that are not answered yet wait here for their answers, which come in the same order. */
export class InferItems implements ItemForm {
  readonly message = FORM;
  private readonly models: ModelsService;
  private readonly reader: InferRequestReader;
  private readonly asked: (InferRequest | undefined)[] = [];
  private head = 0;
  private count = 0;

  constructor(models: ModelsService, reader = new InferRequestReader()) {
    this.models = models;
    this.reader = reader;
  }

  plain(bytes: Uint8Array): PredictStreamRequest | undefined {
    try {
      const request = this.reader.request(bytes);
      return request === undefined ? undefined : this.item(request);
    } catch (error) {
      return this.refused(error);
    }
  }

  itemOf(message: Message): PredictStreamRequest {
    try {
      return this.item(inferRequest(message as ModelInferRequest));
    } catch (error) {
      const { modelName, modelVersion, id } = message as ModelInferRequest;
      return this.refused(error, { modelName, modelVersion, requestId: id });
    }
  }

  answerFrame(result: ItemResult, compression: AnswerCompression): Uint8Array | Promise<Uint8Array> {
    const frame = framedAnswer(this.answerTo(result));
    if (compression === null || frame.length - PREFIX_BYTES < COMPRESS_MIN_BYTES) return frame;
    return compression
      .compress(frame.subarray(PREFIX_BYTES))
      .then((compressed) => framed(COMPRESSED_FLAG, compressed));
  }

  /** The answer to the first request that has none. */
  answerTo(result: ItemResult): ItemAnswer {
    const request = this.nextAsked();
    try {
      if ("error" in result) throw result.error;
      const answer = answerTo(request, result.response, this.models, ANONYMOUS);
      return { error: "", answer: request.wantsFinal ? { ...answer, saysFinal: true } : answer };
    } catch (error) {
      const { modelName, modelVersion, requestId } = request;
      const response = { modelName, modelVersion, requestId, outputs: [] };
      const told = inTritonsWords(error, request, placeInRequest);
      const text = told instanceof AssayError ? publicMessage(told) : "internal error";
      return { error: text, answer: { request, response } };
    }
  }

  private item(request: InferRequest): PredictStreamRequest {
    this.asked.push(request);
    return { $typeName: "assay.v1.PredictStreamRequest", itemId: BigInt(++this.count), request };
  }

  private refused(
    error: unknown,
    named: Partial<Pick<InferRequest, "modelName" | "modelVersion" | "requestId">> = {},
  ): PredictStreamRequest {
    if (!(error instanceof AssayError)) throw error;
    const { request: _, ...item } = this.item(Object.assign(new InferRequest(), named));
    refusedItems.set(item, error);
    return item;
  }

  private nextAsked(): InferRequest {
    const { asked, head } = this;
    const request = asked[head]!;
    asked[head] = undefined;
    this.head++;
    if (this.head === asked.length) this.head = asked.length = 0;
    else if (this.head >= KEPT_PLACES) {
      asked.splice(0, this.head);
      this.head = 0;
    }
    return request;
  }
}

/** An answer to one item: `error` is empty where it was scored, and `answer` names the request in any case. */
export interface ItemAnswer {
  readonly error: string;
  readonly answer: ConstructorParameters<typeof MeasuredAnswer>[0];
}

function framedAnswer({ error, answer }: ItemAnswer): Uint8Array {
  const measured = new MeasuredAnswer(answer);
  const errorBytes = error === "" ? 0 : Buffer.byteLength(error);
  const messageBytes = (errorBytes === 0 ? 0 : fieldBytes(errorBytes)) + fieldBytes(measured.byteCount);
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + messageBytes);
  const writer = new WireWriter(bytes);
  writer.prefix(messageBytes);
  if (errorBytes > 0) writer.text(ERROR_MESSAGE, error, errorBytes);
  writer.tagged(INFER_RESPONSE, measured.byteCount);
  measured.write(writer);
  return bytes;
}
