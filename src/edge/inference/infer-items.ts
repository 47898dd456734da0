/** `ModelStreamInfer`: requests as items of a stream, which are scored side by side and answered in their order. */
import type { Message } from "@bufbuild/protobuf";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { PredictStreamRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import {
  GRPCInferenceService,
  ModelStreamInferResponseSchema,
} from "../../../gen/inference/grpc_service_pb.ts";
import { AssayError, reasonName } from "../../errors.ts";
import type { ItemResult } from "../../service/scoring.ts";
import { refusedItems } from "../../service/stream/refused-items.ts";
import { PREFIX_BYTES, writePrefix } from "../../wire/grpc-frame.ts";
import { plainTag } from "../../wire/plain-tag.ts";
import { fieldBytes, WireWriter } from "../../wire/wire-writer.ts";
import type { AnswerEncoder } from "../answer/answer-encoder.ts";
import { OctetParts } from "../answer/octet-parts.ts";
import { publicMessage } from "../call/error-details.ts";
import { compressedFrame } from "../grpc/answer-encoder.ts";
import type { AnswerCompression, ItemForm, ItemProcedure } from "../grpc/item-form.ts";
import type { CallMemory } from "../memory/call-memory.ts";
import { isLargeAnswer, writeItem } from "./answer/answer-pieces.ts";
import { type InferAnswer, MeasuredAnswer } from "./answer/infer-answer.ts";
import { answerTo, placeInRequest } from "./infer-forms.ts";
import type { InferRequest } from "./infer-request.ts";
import { InferRequestReader } from "./infer-request-reader.ts";
import { INFER_ITEM, refusedItem, sayable } from "./message-forms.ts";
import { inTritonsWords } from "./triton-texts.ts";

const ERROR_MESSAGE = plainTag(ModelStreamInferResponseSchema, "errorMessage");
const INFER_RESPONSE = plainTag(ModelStreamInferResponseSchema, "inferResponse");
/** Answered items whose places are kept before the list is cut, which is never done for fewer than it keeps. */
const KEPT_PLACES = 1024;

/** The path of `ModelStreamInfer`, and the form of its items. */
export function inferStream(): ItemProcedure {
  const { typeName, method } = GRPCInferenceService;
  const reader = new InferRequestReader();
  return {
    path: `/${typeName}/${method.modelStreamInfer.name}`,
    open: ({ encoder }) => new InferItems(encoder, reader),
  };
}

/** The items of one call: requests that are not answered yet wait here for their answers, which come in the same order. */
export class InferItems implements ItemForm {
  readonly message = INFER_ITEM;
  private readonly encoder: AnswerEncoder;
  private readonly reader: InferRequestReader;
  private asked: (InferRequest | undefined)[] = [];
  private head = 0;
  private count = 0;

  constructor(encoder: AnswerEncoder, reader = new InferRequestReader()) {
    this.encoder = encoder;
    this.reader = reader;
  }

  get plainHeapBytes(): number {
    return this.reader.heapBytes;
  }

  plain(bytes: Uint8Array): PredictStreamRequest | undefined {
    try {
      const request = this.reader.request(bytes);
      return request === undefined ? undefined : this.item(request);
    } catch (error) {
      const standIn = refusedItem(error, bytes);
      if (standIn === undefined) throw error;
      return this.item(standIn);
    }
  }

  itemOf(message: Message): PredictStreamRequest {
    return this.item(message as InferRequest);
  }

  answerFrame(
    result: ItemResult,
    compression: AnswerCompression,
    memory: CallMemory,
  ): Uint8Array | Promise<Uint8Array> {
    const item = this.answerTo(result);
    if (!isLargeAnswer(item.answer.response)) return compressedFrame(framedAnswer(item), compression);
    const parts = new OctetParts();
    const steps = writeItem(item.answer, false, parts);
    return this.encoder.write(steps, parts, memory, PREFIX_BYTES).then((bytes) => {
      writePrefix(bytes, 0, bytes.length - PREFIX_BYTES);
      return compressedFrame(bytes, compression);
    });
  }

  /** The answer to the first request that has none. */
  answerTo(result: ItemResult): ItemAnswer {
    const request = this.nextAsked();
    try {
      if ("error" in result) throw result.error;
      const answer = answerTo(request, result.response);
      return { error: "", answer: request.wantsFinal ? { ...answer, saysFinal: true } : answer };
    } catch (error) {
      const response = {
        modelName: sayable(request.modelName),
        modelVersion: sayable(request.modelVersion),
        requestId: sayable(request.requestId),
        outputs: [],
      };
      const told = inTritonsWords(error, request, placeInRequest);
      const isKnown = told instanceof AssayError;
      const reason = reasonName(isKnown ? told.reason : Reason.INTERNAL);
      return {
        error: isKnown ? publicMessage(told) : "internal error",
        answer: { request, response, reason },
      };
    }
  }

  private item(request: InferRequest): PredictStreamRequest {
    this.asked.push(request);
    const $typeName = "assay.v1.PredictStreamRequest";
    const itemId = BigInt(++this.count);
    const { refusal } = request;
    if (refusal === undefined) return { $typeName, itemId, request };
    const item: PredictStreamRequest = { $typeName, itemId };
    refusedItems.set(item, refusal);
    return item;
  }

  private nextAsked(): InferRequest {
    const { asked, head } = this;
    const request = asked[head]!;
    asked[head] = undefined;
    this.head++;
    if (this.head === asked.length) this.head = asked.length = 0;
    else if (this.head >= KEPT_PLACES && 2 * this.head >= asked.length) {
      this.asked = asked.slice(this.head);
      this.head = 0;
    }
    return request;
  }
}

/** An answer to one item: `error` is empty where it was scored, and `answer` names the request in any case. */
export interface ItemAnswer {
  readonly error: string;
  readonly answer: InferAnswer;
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
