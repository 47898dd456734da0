/**
 * Answers of many megabytes to octets: one at a time and in slices, so that none holds the event loop. Small ones are left to their
 * protocol, which encodes them at once.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type PredictResponse,
  PredictStreamResponseSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { PackedContents } from "../../tensor/packed-contents.ts";
import { RawTextTensor } from "../../tensor/raw-text-tensor.ts";
import { LARGE_OCTETS } from "../../timing/loop-turns.ts";
import type { CallMemory } from "../memory/call-memory.ts";
import { LoopSlices } from "../memory/loop-slices.ts";
import { WorkTurns } from "../memory/work-turns.ts";
import { addMessage, writeBinaryAnswer } from "./binary-answer.ts";
import { writeJsonAnswer } from "./json-answer.ts";
import { OctetParts } from "./octet-parts.ts";

/** The form in which an answer is written; `plain` is a line of JSON with proto names, as `/predict` answers. */
export type AnswerForm = "binary" | "json" | "plain";

type ItemForm = Exclude<AnswerForm, "plain">;

const RESPONSE_FIELD = PredictStreamResponseSchema.field.response.number;

/** Whether an answer takes long to encode. */
export function isLargeAnswer({ outputs }: PredictResponse): boolean {
  let rawBytes = 0;
  for (const output of outputs) {
    if (output instanceof RawTextTensor || output.contents instanceof PackedContents) return true;
    rawBytes += output.rawContents.length;
  }
  return rawBytes > LARGE_OCTETS;
}

/** Encodes large answers; one for the whole server. */
export class AnswerEncoder {
  private readonly turns = new WorkTurns(1);

  /** The octets of a PredictResponse behind `prefixBytes` zeros. Rejects where the call that `memory` is of fails first. */
  encode(
    response: PredictResponse,
    form: AnswerForm,
    memory: CallMemory,
    prefixBytes = 0,
  ): Promise<Uint8Array> {
    const parts = new OctetParts();
    return this.write(writeAnswer(response, form, parts), parts, memory, prefixBytes);
  }

  /** The same of the PredictStreamResponse of an item. */
  encodeItem(
    itemId: bigint,
    response: PredictResponse,
    form: ItemForm,
    memory: CallMemory,
    prefixBytes = 0,
  ): Promise<Uint8Array> {
    const parts = new OctetParts();
    return this.write(writeItem(itemId, response, form, parts), parts, memory, prefixBytes);
  }

  /** What `steps` write into `parts`, when it is their turn, behind `prefixBytes` zeros. Rejects where the call fails first. */
  async write(
    steps: Generator<void>,
    parts: OctetParts,
    memory: CallMemory,
    prefixBytes = 0,
  ): Promise<Uint8Array> {
    await this.turns.begin(memory);
    try {
      const slices = new LoopSlices();
      await inSlices(steps, slices, memory);
      const octets = await inSlices(parts.join(prefixBytes), slices, memory);
      // What sends it is one piece.
      await slices.nextTurn();
      return octets;
    } finally {
      this.turns.end();
    }
  }
}

/** Runs `steps` to their end; rejects where the call fails first. */
async function inSlices<T>(steps: Generator<void, T>, slices: LoopSlices, memory: CallMemory): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (slices.isOver()) await slices.nextTurn();
    if (memory.failure !== undefined) throw memory.failure;
  }
}

function* writeAnswer(response: PredictResponse, form: AnswerForm, parts: OctetParts): Generator<void> {
  if (form === "binary") yield* writeBinaryAnswer(response, parts);
  else yield* writeJsonAnswer(response, { useProtoFieldName: form === "plain" }, parts);
  if (form === "plain") parts.addText("\n");
}

function* writeItem(
  itemId: bigint,
  response: PredictResponse,
  form: ItemForm,
  parts: OctetParts,
): Generator<void> {
  if (form === "binary") {
    const inner = new OctetParts();
    yield* writeAnswer(response, form, inner);
    parts.add(toBinary(PredictStreamResponseSchema, create(PredictStreamResponseSchema, { itemId })));
    addMessage(parts, RESPONSE_FIELD, inner);
    return;
  }
  parts.addText(itemId === 0n ? '{"response":' : `{"itemId":"${itemId}","response":`);
  yield* writeAnswer(response, form, parts);
  parts.addText("}");
}
