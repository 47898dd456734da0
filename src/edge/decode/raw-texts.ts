/** The texts of large messages whose tensors hold them as raw octets: read here, since the service would read them in one piece. */
import type { Message } from "@bufbuild/protobuf";
import type {
  PredictRequest,
  PredictRowsRequest,
  PredictStreamRequest,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import { RawTexts } from "../../service/tensors/text-elements.ts";
import { RawTextTensor } from "../../tensor/raw-text-tensor.ts";
import { WrongTextTensor } from "../../tensor/wrong-texts.ts";
import type { CallMemory } from "../memory/call-memory.ts";
import type { LoopSlices } from "../memory/loop-slices.ts";

/** A string in V8's memory and its place in a list, its characters not counted. */
const STRING_BYTES = 32;

type Scoring = PredictRequest | PredictStreamRequest | PredictRowsRequest;

/** Whether a message has raw texts that were not read. */
export function hasRawTexts(message: Message): boolean {
  for (const { inputs } of requestsOf(message)) if (inputs.some(isOfRawTexts)) return true;
  return false;
}

/**
 * Puts texts in the place of the raw octets of a message's tensors; where there is anything wrong with them, the octets stay beside
 * what is, for the service to say it. Returns what the texts hold of the call's memory, adopted as decoded. Rejects with MEMORY_FULL.
 */
export async function readRawTexts(
  message: Message,
  memory: CallMemory,
  slices: LoopSlices,
): Promise<number> {
  let heldBytes = 0;
  for (const { inputs } of requestsOf(message)) {
    if (slices.isOver()) await slices.nextTurn();
    for (const [index, tensor] of inputs.entries()) {
      if (!isOfRawTexts(tensor)) continue;
      const { name, shape, rawContents } = tensor;
      const count = shape.reduce((product, length) => product * Number(length), 1);
      if (count < 0 || count * 4 > rawContents.length) continue;
      const bytes = rawContents.length + count * STRING_BYTES;
      await memory.reserve(bytes);
      memory.adoptDecoded(bytes);
      heldBytes += bytes;
      const reading = new RawTexts(rawContents, count, shape);
      while (!reading.step()) if (slices.isOver()) await slices.nextTurn();
      const { isMisframed, wrong, texts } = reading;
      if (isMisframed) inputs[index] = new WrongTextTensor(tensor, undefined);
      else if (wrong.count > 0) inputs[index] = new WrongTextTensor(tensor, wrong);
      else inputs[index] = new RawTextTensor(name, shape, texts);
    }
  }
  return heldBytes;
}

function isOfRawTexts(tensor: Tensor): boolean {
  if (tensor instanceof RawTextTensor || tensor instanceof WrongTextTensor) return false;
  const { datatype, contents, rawContents } = tensor;
  return datatype === "BYTES" && contents === undefined && rawContents.length > 0;
}

function* requestsOf(message: Message): Generator<PredictRequest> {
  const scoring = message as Scoring;
  switch (scoring.$typeName) {
    case "assay.v1.PredictRequest":
      yield scoring;
      return;
    case "assay.v1.PredictStreamRequest":
      if (scoring.request !== undefined) yield scoring.request;
      return;
    case "assay.v1.PredictRowsRequest":
      for (const { request } of scoring.items) if (request !== undefined) yield request;
  }
}
