/**
 * Large answers behind Connect's handlers, which would encode each at once: here they are encoded in slices, the handler writes an empty
 * message in the place of each, and what the pump sends is taken from here.
 */
import { create } from "@bufbuild/protobuf";
import { createContextKey } from "@connectrpc/connect";
import { compressionNegotiate, type UniversalServerResponse } from "@connectrpc/connect/protocol";
import {
  type PredictResponse,
  PredictResponseSchema,
  type PredictStreamResponse,
  PredictStreamResponseSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { COMPRESSED_FLAG, framed } from "../../wire/grpc-frame.ts";
import type { AnswerEncoder } from "../answer/answer-encoder.ts";
import type { OctetParts } from "../answer/octet-parts.ts";
import type { MessageCompression } from "../call/compression.ts";
import type { WireProtocol } from "../call/content-type.ts";
import type { CallMemory } from "../memory/call-memory.ts";

/** Where a procedure's implementation finds those of its call. */
export const encodedAnswersKey = createContextKey<EncodedAnswers | undefined>(undefined, {
  description: "encoded answers",
});

interface Encoded {
  /** How many messages the handler writes before it. */
  readonly index: number;
  readonly octets: Uint8Array;
}

/** Those of one call. */
export class EncodedAnswers {
  private readonly encoder: AnswerEncoder;
  private readonly memory: CallMemory;
  /** Messages are written as JSON. */
  readonly isJson: boolean;
  private given = 0;
  private sent = 0;
  private waiting: Encoded[] = [];

  constructor(encoder: AnswerEncoder, memory: CallMemory, isJson: boolean) {
    this.encoder = encoder;
    this.memory = memory;
    this.isJson = isJson;
  }

  /** Encodes the answer of a call with one; what the handler writes for it. */
  async unary(response: PredictResponse): Promise<PredictResponse> {
    this.hold(await this.encoder.encode(response, this.form, this.memory));
    return create(PredictResponseSchema);
  }

  /** The same for an item of a stream. */
  async item(itemId: bigint, response: PredictResponse): Promise<PredictStreamResponse> {
    this.hold(await this.encoder.encodeItem(itemId, response, this.form, this.memory));
    return create(PredictStreamResponseSchema);
  }

  /** Encodes any answer that `steps` write into `parts`, in place of the empty message that the handler is to write. */
  async written(steps: Generator<void>, parts: OctetParts): Promise<void> {
    this.hold(await this.encoder.write(steps, parts, this.memory));
  }

  /** A message that the handler encodes itself is next. */
  pass(): void {
    this.given++;
  }

  /** The response of a unary call of the Connect protocol with its own body; `accepted`: its accept-encoding. */
  async unaryResponse(
    response: UniversalServerResponse,
    accepted: string | null,
    compressions: readonly MessageCompression[],
  ): Promise<UniversalServerResponse> {
    const octets = this.waiting[0]?.octets;
    // An error that came after the answer stands in its place.
    if (octets === undefined || response.status !== 200) return response;
    const negotiated = compressionNegotiate([...compressions], null, accepted, "accept-encoding").response;
    const body = negotiated === null ? octets : await negotiated.compress(octets as Uint8Array<ArrayBuffer>);
    const header = new Headers(response.header);
    header.set("content-length", String(body.length));
    if (negotiated !== null) header.set("content-encoding", negotiated.name);
    return { ...response, header, body: once(body) };
  }

  /** What to send in the place of the next frame that the handler has written; undefined where that is it. */
  nextFrame(written: Uint8Array): Uint8Array | undefined {
    const next = this.waiting[0];
    const index = this.sent++;
    const isEnd = (written[0]! & ~COMPRESSED_FLAG) !== 0;
    if (next === undefined || next.index !== index || isEnd) return undefined;
    this.waiting.shift();
    return next.octets;
  }

  private get form(): "json" | "binary" {
    return this.isJson ? "json" : "binary";
  }

  private hold(octets: Uint8Array): void {
    this.waiting.push({ index: this.given++, octets });
  }
}

/** A message in a frame, in the encoding that the head of the response names. */
export async function answerFrame(
  octets: Uint8Array,
  header: Headers | undefined,
  compressions: readonly MessageCompression[],
): Promise<Uint8Array> {
  const encoding = header?.get("grpc-encoding") ?? header?.get("connect-content-encoding");
  const compression = compressions.find(({ name }) => name === encoding);
  return compression === undefined
    ? framed(0, octets)
    : framed(COMPRESSED_FLAG, await compression.compress(octets));
}

/** Whether the messages of a call are JSON, in any protocol. */
export function speaksJson(contentType: string | null | undefined, wire: WireProtocol): boolean {
  return wire === "http" ? /\bjson\b/i.test(contentType ?? "") : /\+json\b/i.test(contentType ?? "");
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
