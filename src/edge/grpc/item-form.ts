import type { Message } from "@bufbuild/protobuf";
import {
  type PredictStreamRequest,
  PredictStreamRequestSchema,
  ScoringService as ScoringServiceDesc,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { ItemResult } from "../../service/scoring.ts";
import type { MessageCompression } from "../call/compression.ts";
import type { ConnectContext } from "../connect/adapter.ts";
import type { MessageForm } from "../decode/message-decoder.ts";
import type { CallMemory } from "../memory/call-memory.ts";
import { answerFrame } from "./answer-encoder.ts";

/** How answers are compressed; null: they are not. */
export type AnswerCompression = Pick<MessageCompression, "compress"> | null;

/** The messages of one call's items, as its procedure has them. Items are read in their order, and so they are answered. */
export interface ItemForm {
  readonly message: MessageForm;
  /** An item that is read by hand; undefined where its octets are not in the plain form. */
  plain(bytes: Uint8Array): PredictStreamRequest | undefined;
  /** About what the item that was read by hand last takes of V8's heap, its octets not counted. */
  readonly plainHeapBytes: number;
  /** The item of a message that was decoded. */
  itemOf(message: Message): PredictStreamRequest;
  /** The answer to an item as a gRPC message with its prefix: now, or in slices where it is large. */
  answerFrame(
    result: ItemResult,
    compression: AnswerCompression,
    memory: CallMemory,
  ): Uint8Array | Promise<Uint8Array>;
}

/** A procedure with items. */
export interface ItemProcedure {
  /** `/service/method`. */
  readonly path: string;
  /** Makes the form of one call's items. */
  open(context: ConnectContext): ItemForm;
}

const PREDICT_ITEM: MessageForm = { desc: PredictStreamRequestSchema, isJson: false };

/** `PredictStream`. */
export const PREDICT_STREAM: ItemProcedure = {
  path: `/${ScoringServiceDesc.typeName}/${ScoringServiceDesc.method.predictStream.name}`,
  open: (context) => new PredictItemForm(context),
};

class PredictItemForm implements ItemForm {
  readonly message = PREDICT_ITEM;
  private readonly context: ConnectContext;

  constructor(context: ConnectContext) {
    this.context = context;
  }

  get plainHeapBytes(): number {
    return this.context.requests.heapBytes;
  }

  plain(bytes: Uint8Array): PredictStreamRequest | undefined {
    return this.context.requests.item(bytes);
  }

  itemOf(message: Message): PredictStreamRequest {
    return message as PredictStreamRequest;
  }

  answerFrame(
    result: ItemResult,
    compression: AnswerCompression,
    memory: CallMemory,
  ): Uint8Array | Promise<Uint8Array> {
    return answerFrame(result, compression, this.context.encoder, memory);
  }
}
