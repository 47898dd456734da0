/**
 * The octets of requests to messages, for every protocol: bounded before anything is decoded, large ones one at a time and in slices,
 * so that none holds the event loop; counted in the process's budget from their decompression to their answer.
 */
import { type DescMessage, fromBinary, type Message } from "@bufbuild/protobuf";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { PredictStreamRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../../errors.ts";
import { LARGE_OCTETS, loopTurns } from "../../timing/loop-turns.ts";
import { wireTable } from "../../wire/wire-table.ts";
import type { MessageCompression } from "../call/compression.ts";
import type { EdgeLimits } from "../call/limits.ts";
import type { Aliases, RowForms } from "../json/json-message.ts";
import type { ExactJson, ExactObject } from "../json/json-text.ts";
import type { CallMemory } from "../memory/call-memory.ts";
import { LoopSlices } from "../memory/loop-slices.ts";
import { memoryPerMessage } from "../memory/message-limit.ts";
import { WorkTurns } from "../memory/work-turns.ts";
import { decodeInSlices, READ_OPTIONS } from "./binary-decoding.ts";
import { JsonDecoding, type JsonOptions } from "./json-decoding.ts";
import { hasRawTexts, readRawTexts } from "./raw-texts.ts";
import { refusedItem } from "./refused-item.ts";
import { scanInSlices, scanMessage, type WireCost } from "./wire-scan.ts";

/** A message and what it holds of its call's memory, its octets included where it has views of them. */
export interface Decoded {
  readonly message: Message;
  readonly heldBytes: number;
  /** Of these, what was adopted as decoded. */
  readonly decodedBytes: number;
  /** What JSON said, as it was parsed. */
  readonly json?: ExactJson;
}

/** The form in which the octets of a message are to be read. */
export interface MessageForm {
  readonly desc: DescMessage;
  readonly isJson: boolean;
  readonly aliases?: Aliases;
  /** Of requests whose rows may come in other forms too. */
  readonly rowForms?: RowForms;
  /** Begins to read what is no JSON message of `desc`, but becomes one. */
  begin?(bytes: Uint8Array, options: JsonOptions): SteppedDecoding;
  /** The request that a message of another service stands for, which is handed on in its place. Throws what is wrong with it. */
  requestOf?(message: Message): Message;
  /** What stands for a well-formed item that was refused, as `refusedItem` makes it; undefined where there is nothing to answer. */
  refused?: typeof refusedItem;
}

/** The same for whatever encoding, by procedure. */
export type RequestForm = Pick<MessageForm, "requestOf" | "refused">;

/** A message that is read step by step. */
export interface SteppedDecoding {
  /** Goes on; true once the message is there. Throws what is wrong with it. */
  step(): boolean;
  /** Whether the text was read to its end. */
  readonly isRead: boolean;
  readonly message: Message;
  /** The parsed value; undefined where it was no JSON. */
  readonly json: ExactJson | undefined;
  /** About what it takes of V8's heap, or beside it. */
  readonly heapBytes: number;
}

/** Longer messages are decoded in slices, one at a time. */
const SLICED_BYTES = 49_152;
const DECOMPRESSIONS = 2;

/** Decodes requests; one for the whole server. */
export class MessageDecoder {
  private readonly limits: EdgeLimits;
  private readonly decodings: WorkTurns;
  private readonly decompressions: WorkTurns;

  constructor(limits: EdgeLimits) {
    this.limits = limits;
    this.decodings = new WorkTurns(1);
    this.decompressions = new WorkTurns(DECOMPRESSIONS);
  }

  /**
   * Decodes one message, whose `bytes` the call has taken: they are given back unless the message holds views of them. At once where it
   * is small. Throws, or rejects with, INVALID_REQUEST, MESSAGE_TOO_LARGE or MEMORY_FULL.
   */
  decode(form: MessageForm, bytes: Uint8Array, memory: CallMemory): Decoded | Promise<Decoded> {
    if (bytes.length > SLICED_BYTES) return this.decodeInTurn(form, bytes, memory);
    if (form.isJson) {
      const decoding = this.beginJson(form, bytes);
      let message: Message;
      try {
        while (!decoding.step());
        message = requestOf(form, decoding.message);
      } catch (error) {
        return refused(error, form, bytes, memory, decoding);
      }
      const { heapBytes, json } = decoding;
      return held(message, { heapBytes, keepsOctets: false }, bytes, memory, json);
    }
    try {
      const cost = scanMessage(wireTable(form.desc), bytes, this.limits.maxMessageBytes);
      const message = requestOf(form, fromBinary(form.desc, bytes, READ_OPTIONS));
      return held(message, cost, bytes, memory);
    } catch (error) {
      return refused(error, form, bytes, memory);
    }
  }

  /**
   * Readies a message of more than LARGE_OCTETS that was read by hand from `bytes`, which it still holds: its raw texts are read, and it
   * is handed on in a turn of its own. Rejects with MEMORY_FULL.
   */
  async ready(message: Message, bytes: Uint8Array, memory: CallMemory): Promise<Decoded> {
    let decoded: Decoded = { message, heldBytes: bytes.length, decodedBytes: 0 };
    if (hasRawTexts(message)) {
      await this.decodings.begin(memory);
      try {
        decoded = await withTexts(decoded, memory, new LoopSlices());
      } finally {
        this.decodings.end();
      }
    }
    await loopTurns.next();
    return decoded;
  }

  /** Decompresses one message when it is its turn: until then only the compressed octets are held. */
  async decompress(
    compression: MessageCompression,
    bytes: Uint8Array,
    memory: CallMemory,
  ): Promise<Uint8Array> {
    const { budget } = memory;
    const reserved = Math.min(this.limits.maxMessageBytes, budget.limitBytes / 2);
    await this.decompressions.begin(memory);
    try {
      await memory.reserve(reserved);
      const message = await compression.decompress(bytes).catch((error: unknown) => {
        budget.give(reserved);
        throw error;
      });
      memory.adopt(message.length);
      memory.give(bytes.length);
      budget.give(reserved - message.length);
      return message;
    } finally {
      this.decompressions.end();
    }
  }

  private async decodeInTurn(form: MessageForm, bytes: Uint8Array, memory: CallMemory): Promise<Decoded> {
    await this.decodings.begin(memory);
    let decoded: Decoded;
    try {
      const slices = new LoopSlices();
      decoded = form.isJson
        ? await this.readJson(form, bytes, memory, slices)
        : await this.readBinary(form, bytes, memory, slices);
      decoded = await withTexts(decoded, memory, slices);
    } finally {
      this.decodings.end();
    }
    // Its checks, which come next, are one piece.
    if (bytes.length > LARGE_OCTETS) await loopTurns.next();
    return decoded;
  }

  private async readBinary(
    form: MessageForm,
    bytes: Uint8Array,
    memory: CallMemory,
    slices: LoopSlices,
  ): Promise<Decoded> {
    const { desc } = form;
    let cost: WireCost;
    try {
      cost = await scanInSlices(wireTable(desc), bytes, this.limits.maxMessageBytes, slices);
    } catch (error) {
      return refused(error, form, bytes, memory);
    }
    await memory.reserve(cost.heapBytes);
    try {
      const message = requestOf(form, await decodeInSlices(desc, bytes, slices));
      return adopted(message, cost, bytes, memory);
    } catch (error) {
      memory.budget.give(cost.heapBytes);
      return refused(error, form, bytes, memory);
    }
  }

  private async readJson(
    form: MessageForm,
    bytes: Uint8Array,
    memory: CallMemory,
    slices: LoopSlices,
  ): Promise<Decoded> {
    // What the values take shows only as they are read.
    let reserved = Math.min(memoryPerMessage(this.limits.maxMessageBytes), 4 * bytes.length);
    await memory.reserve(reserved);
    let decoding: SteppedDecoding | undefined;
    try {
      decoding = this.beginJson(form, bytes);
      await slices.pause();
      while (!decoding.step()) await slices.pause();
      const { heapBytes, json } = decoding;
      memory.budget.force(heapBytes - reserved);
      reserved = heapBytes;
      return adopted(
        requestOf(form, decoding.message),
        { heapBytes, keepsOctets: false },
        bytes,
        memory,
        json,
      );
    } catch (error) {
      memory.budget.give(reserved);
      return refused(error, form, bytes, memory, decoding);
    }
  }

  private beginJson(form: MessageForm, bytes: Uint8Array): SteppedDecoding {
    const { aliases, rowForms } = form;
    const { maxMessageBytes, ignoreUnknownFields } = this.limits;
    const options: JsonOptions = {
      maxMessageBytes,
      ignoreUnknownFields,
      ...(aliases && { aliases }),
      ...(rowForms && { rowForms }),
    };
    return form.begin?.(bytes, options) ?? new JsonDecoding(form.desc, bytes, options);
  }
}

function requestOf(form: MessageForm, message: Message): Message {
  return form.requestOf === undefined ? message : form.requestOf(message);
}

async function withTexts(decoded: Decoded, memory: CallMemory, slices: LoopSlices): Promise<Decoded> {
  const textBytes = await readRawTexts(decoded.message, memory, slices);
  if (textBytes === 0) return decoded;
  const { heldBytes, decodedBytes } = decoded;
  return { ...decoded, heldBytes: heldBytes + textBytes, decodedBytes: decodedBytes + textBytes };
}

/** The budget has the message's bytes already. */
function adopted(
  message: Message,
  cost: WireCost,
  bytes: Uint8Array,
  memory: CallMemory,
  json?: ExactJson,
): Decoded {
  memory.adoptDecoded(cost.heapBytes);
  return decoded(message, cost, cost.heapBytes, bytes, memory, json);
}

function held(
  message: Message,
  cost: WireCost,
  bytes: Uint8Array,
  memory: CallMemory,
  json?: ExactJson,
): Decoded {
  const refused = memory.take(cost.heapBytes);
  if (refused !== undefined) throw refused;
  return decoded(message, cost, 0, bytes, memory, json);
}

function decoded(
  message: Message,
  { heapBytes, keepsOctets }: WireCost,
  decodedBytes: number,
  bytes: Uint8Array,
  memory: CallMemory,
  json: ExactJson | undefined,
): Decoded {
  if (!keepsOctets) memory.give(bytes.length);
  const heldBytes = heapBytes + (keepsOctets ? bytes.length : 0);
  return json === undefined
    ? { message, heldBytes, decodedBytes }
    : { message, heldBytes, decodedBytes, json };
}

/** What stands for a message that was refused: an item of a stream is answered in its place; every other message is not taken. */
function refused(
  error: unknown,
  { desc, isJson, refused: standIn }: MessageForm,
  bytes: Uint8Array,
  memory: CallMemory,
  decoding?: SteppedDecoding,
): Decoded {
  const isWhole = decoding === undefined || decoding.isRead;
  const ofItem = standIn ?? (desc === PredictStreamRequestSchema ? refusedItem : undefined);
  const item = isWhole ? ofItem?.(error, bytes, decoding?.json as ExactObject | undefined) : undefined;
  if (item === undefined) throw isJson ? ofModel(error, decoding?.json) : noProtobuf(error, desc);
  memory.give(bytes.length);
  return { message: item, heldBytes: 0, decodedBytes: 0 };
}

/** The error with the model that the request names: nobody but who has read its JSON can tell. */
function ofModel(error: unknown, json: ExactJson | undefined): unknown {
  if (!(error instanceof AssayError) || error.reason !== Reason.INVALID_REQUEST) return error;
  if (typeof json !== "object" || json === null) return error;
  const { model_name: name, modelName = name } = json as ExactObject;
  if (typeof modelName !== "string" || modelName === "") return error;
  const { reason, message, violations, violationCount, limit } = error;
  return new AssayError(reason, message, { violations, violationCount, modelName, limit });
}

/** What protobuf's own reader says of octets; everything else that it throws is a bug. */
const OF_OCTETS =
  /^(premature EOF|invalid varint|illegal tag|cant skip|invalid end group|cannot decode|maximum recursion)/;

/** What is the caller's of what was thrown while octets were read; the rest is handed on as it is. */
function noProtobuf(error: unknown, desc: DescMessage): unknown {
  if (!(error instanceof Error) || error instanceof AssayError) return error;
  // The scan has read all but the texts.
  const { code } = error as NodeJS.ErrnoException;
  const isText = code === "ERR_ENCODING_INVALID_ENCODED_DATA";
  if (!isText && !OF_OCTETS.test(error.message)) return error;
  const what = isText ? "one of its texts is not valid UTF-8" : error.message;
  return new AssayError(Reason.INVALID_REQUEST, `the message is no protobuf of ${desc.typeName}: ${what}`);
}
