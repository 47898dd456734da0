/** `POST /v2/models/{model}/infer` as unary calls: JSON, with binary data behind it where it says so, in either direction. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { type Headers, headerBlock } from "../../http2/stream.ts";
import type { Caller } from "../../registry/caller.ts";
import type { ModelsService } from "../../registry/models.ts";
import type { Call } from "../../service/call.ts";
import type { ScoringService } from "../../service/scoring.ts";
import { LARGE_OCTETS } from "../../timing/loop-turns.ts";
import type { AnswerEncoder } from "../answer/answer-encoder.ts";
import { OctetParts } from "../answer/octet-parts.ts";
import type { MessageCompression } from "../call/compression.ts";
import { codingName, IDENTITY, UnknownCoding } from "../call/content-coding.ts";
import { retryAfterMs } from "../call/error-details.ts";
import type { MessageDecoder } from "../decode/message-decoder.ts";
import { withClasses } from "../inference/answer/classification.ts";
import { inTritonsWords } from "../inference/triton-texts.ts";
import { exampleOf } from "../json/example-line.ts";
import type { CallMemory } from "../memory/call-memory.ts";
import { respondPlain } from "../plain/plain-http.ts";
import type { PathParams } from "../route-table.ts";
import { answerHead } from "../unary/answer-head.ts";
import {
  COMPRESS_MIN_BYTES,
  type MessageCodec,
  type UnaryForm,
  type UnaryProtocol,
  VARIES_BY_CODING,
} from "../unary/unary-form.ts";
import { encodeAnswer, InferAnswer, isLongAnswer, writeAnswer } from "./infer-answer.ts";
import { InferForm } from "./infer-decoding.ts";
import { InferRequest } from "./infer-request.ts";
import { InferRequestReader } from "./infer-request-reader.ts";
import { rawRequest } from "./raw-request.ts";
import { placeInBody, restError } from "./rest-errors.ts";

/** What serves inference requests. */
export interface InferParts {
  readonly scoring: ScoringService;
  readonly models: ModelsService;
  readonly decoder: MessageDecoder;
  readonly encoder: AnswerEncoder;
  /** Content-codings that a body may have, either way. */
  readonly codings: readonly MessageCompression[];
}

const HEADER_LENGTH = "inference-header-content-length";
const JSON_HEAD = headerBlock([["content-type", "application/json"]]);
const BINARY_HEAD = headerBlock([["content-type", "application/octet-stream"]]);

/** The form of inference calls. */
export function inferForm(parts: InferParts): UnaryForm {
  const form: UnaryForm<InferRequest, InferAnswer> = {
    protocol: protocolOf(parts),
    codec: new InferCodec(parts),
    run: (request, call) => infer(parts, request, call),
  };
  return form as unknown as UnaryForm;
}

/** Rejects in the words that its callers know. */
async function infer(
  { scoring }: Pick<InferParts, "scoring">,
  request: InferRequest,
  call: Call,
): Promise<InferAnswer> {
  try {
    const response = await scoring.predict(request, call);
    const { topClasses, scoredBy } = request;
    if (topClasses !== undefined) response.outputs = withClasses(response, topClasses, scoredBy!);
    return new InferAnswer(request, response);
  } catch (error) {
    throw inTritonsWords(error, request, placeInBody);
  }
}

function protocolOf({ codings, scoring }: InferParts): UnaryProtocol {
  return {
    name: "http",
    isFramed: false,
    prefixBytes: 0,
    fields: undefined,
    codings,
    accepts: () => true,
    respond(call, bytes, isCompressed, response) {
      const { headerBytes } = response as InferAnswer;
      const own: (readonly [string, string])[] = [["content-length", String(bytes.length)]];
      if (headerBytes > 0) own.push([HEADER_LENGTH, String(headerBytes)]);
      if (isCompressed) own.push(["content-encoding", call.compression!.name]);
      if (isCompressed || bytes.length >= COMPRESS_MIN_BYTES) own.push(VARIES_BY_CODING);
      call.stream.respond(200, answerHead(call, headerBytes > 0 ? BINARY_HEAD : JSON_HEAD, own));
      call.stream.write(bytes, true);
    },
    fail({ stream, edgeCall, corsOrigins, params }, thrown) {
      const error = edgeCall.asAssayError(thrown);
      const { model = "", version = "" } = params;
      const example = () => exampleOf(scoring, model, version, edgeCall.call.caller, "inference");
      const response = restError(error, example);
      if (thrown instanceof UnknownCoding) {
        const refusal = { ...response, status: UnknownCoding.httpStatus, acceptEncoding: thrown.taken };
        respondPlain(stream, refusal, edgeCall, corsOrigins);
      } else respondPlain(stream, response, edgeCall, corsOrigins, retryAfterMs(error));
    },
  };
}

class InferCodec implements MessageCodec<InferRequest, InferAnswer> {
  private readonly parts: InferParts;
  private readonly reader = new InferRequestReader();

  constructor(parts: InferParts) {
    this.parts = parts;
  }

  decode(
    bytes: Uint8Array,
    memory: CallMemory,
    { model = "", version = "" }: PathParams,
    { caller }: Call,
    headers?: Headers,
  ): InferRequest | Promise<InferRequest> {
    const request = new InferRequest(model, version);
    const length = headers?.get(HEADER_LENGTH);
    const field = headers?.get("content-encoding");
    const coding = codingName(field);
    if (coding === IDENTITY) return this.readNamed(request, bytes, length, memory, caller);
    const { codings, decoder } = this.parts;
    const compression = codings.find(({ name }) => name === coding);
    if (compression === undefined) throw new UnknownCoding(field!, codings);
    return decoder
      .decompress(compression, bytes, memory)
      .then((plain) => this.readNamed(request, plain, length, memory, caller));
  }

  encode(answer: InferAnswer, _room: number, memory: CallMemory): Uint8Array | Promise<Uint8Array> {
    if (!isLongAnswer(answer)) return encodeAnswer(answer);
    const parts = new OctetParts();
    return this.parts.encoder.write(writeAnswer(answer, parts), parts, memory);
  }

  private readNamed(
    request: InferRequest,
    bytes: Uint8Array,
    length: string | undefined,
    memory: CallMemory,
    caller: Caller,
  ): InferRequest | Promise<InferRequest> {
    try {
      const read = this.read(request, bytes, length, memory, caller);
      if (!(read instanceof Promise)) return read;
      return read.catch((error: unknown) => {
        throw this.told(error, request, caller);
      });
    } catch (error) {
      throw this.told(error, request, caller);
    }
  }

  /** A model that there is not is told before whatever is wrong with a body. */
  private told(error: unknown, request: InferRequest, caller: Caller): unknown {
    if (!(error instanceof AssayError) || error.reason !== Reason.INVALID_REQUEST) return error;
    try {
      this.parts.scoring.resolve(request.modelName, request.modelVersion, caller);
      return error;
    } catch (unresolved) {
      return inTritonsWords(unresolved, request, placeInBody);
    }
  }

  private read(
    request: InferRequest,
    bytes: Uint8Array,
    length: string | undefined,
    memory: CallMemory,
    caller: Caller,
  ): InferRequest | Promise<InferRequest> {
    if (length === undefined && this.reader.read(bytes, request)) {
      const refused = memory.take(this.reader.heapBytes);
      if (refused !== undefined) throw refused;
      memory.give(bytes.length);
      return request;
    }
    const jsonBytes = headerLength(length, bytes.length);
    if (jsonBytes === 0 && length !== undefined) {
      try {
        rawRequest(request, bytes, this.parts.models, caller);
      } catch (error) {
        throw inTritonsWords(error, request, placeInBody);
      }
      return this.readied(request, bytes, memory);
    }
    const binary = bytes.subarray(jsonBytes);
    const form = new InferForm(request, binary);
    const decoded = this.parts.decoder.decode(form, bytes.subarray(0, jsonBytes), memory);
    return decoded instanceof Promise
      ? decoded.then(() => this.readied(request, binary, memory))
      : this.readied(request, binary, memory);
  }

  private readied(
    request: InferRequest,
    binary: Uint8Array,
    memory: CallMemory,
  ): InferRequest | Promise<InferRequest> {
    if (binary.length <= LARGE_OCTETS) return request;
    return this.parts.decoder.ready(request, binary, memory).then(() => request);
  }
}

/** The length of the JSON that a body of `bodyBytes` begins with. */
function headerLength(field: string | undefined, bodyBytes: number): number {
  if (field === undefined) return bodyBytes;
  const length = /^\d{1,15}$/.test(field) ? Number(field) : Number.NaN;
  if (length <= bodyBytes) return length;
  const what = `${JSON.stringify(field.slice(0, 40))} came; a whole number from 0 to ${bodyBytes}, the length of the body, is expected`;
  throw new AssayError(Reason.INVALID_REQUEST, `Inference-Header-Content-Length: ${what}`, {
    violations: [
      { field: "Inference-Header-Content-Length", description: what, rule: "binary.header_length" },
    ],
  });
}
