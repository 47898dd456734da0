/**
 * Streams of items over gRPC, framed here on the stream interface: Connect's bidi path costs a core for 1.2 M rows a second.
 * Comes in: a ServerStream that speaks gRPC with binary messages over HTTP/2. Goes out: what Connect's handler would send, which is
 * the reference and serves everything else.
 * Promises: a peer that does not read is not read either beyond the stream's window: its bytes are given back only as the items that
 * they brought leave with their answers; the duties of a call are `edge-call.ts`'s.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { compressionNegotiate } from "@connectrpc/connect/protocol";
import { parseTimeout, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import type { PredictStreamRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { headerBlock, type ServerStream } from "../../http2/stream.ts";
import type { ItemStream, ScoringService } from "../../service/scoring.ts";
import { turnBudget } from "../../service/stream/turn-budget.ts";
import { LARGE_OCTETS } from "../../timing/loop-turns.ts";
import { Deframer } from "../../wire/deframer.ts";
import { COMPRESSED_FLAG, PREFIX_BYTES } from "../../wire/grpc-frame.ts";
import type { MessageCompression } from "../call/compression.ts";
import { beginCall, type EdgeCall } from "../call/edge-call.ts";
import { responseFields, trailerFields, universalHeaders } from "../call/response-fields.ts";
import { callerTimeout } from "../call/timeout-header.ts";
import type { ConnectContext } from "../connect/adapter.ts";
import { publicError } from "../connect/interceptor.ts";
import type { Decoded } from "../decode/message-decoder.ts";
import { CallMemory } from "../memory/call-memory.ts";
import { messageTooLarge } from "../memory/message-limit.ts";
import { ArrivedMessage } from "./arrived-message.ts";
import type { ItemForm, ItemProcedure } from "./item-form.ts";
import { createMessageMemory, LeasedFrames, type MessageLease } from "./message-memory.ts";
import { WaitingMessages } from "./waiting-messages.ts";

/** A procedure whose gRPC form is framed here. */
export interface GrpcStreamRoute {
  readonly procedure: string;
  serve(stream: ServerStream, context: ConnectContext): void;
}

/** Whether a stream speaks gRPC in the form that is framed here. */
export function isGrpcStream(stream: ServerStream): boolean {
  const type = stream.headers.get("content-type") ?? "";
  return stream.httpVersion === 2 && stream.method === "POST" && /^application\/grpc(\+proto)?$/i.test(type);
}

/** The route of a procedure with items. */
export function grpcStreamRoute(itemProcedure: ItemProcedure, scoring: ScoringService): GrpcStreamRoute {
  const procedure = itemProcedure.path;
  return {
    procedure,
    serve(stream, context) {
      const edgeCall = beginCall(stream, {
        procedure,
        sendsDetails: true,
        protocol: "grpc",
        lane: "bulk",
        timeoutMs: callerTimeout(stream.headers),
        callTimeoutMs: Number.POSITIVE_INFINITY,
        shared: context,
      });
      const items = scoring.openStream(edgeCall.call);
      new GrpcStreamCall(stream, edgeCall, items, itemProcedure.open(context), context).begin();
    },
  };
}

const DONE = headerBlock([["grpc-status", "0"]]);
/** For all streams: what one does not need another uses. */
const messageMemory = createMessageMemory();

/** What V8's heap may have of an item before it is counted. */
const ROOM_BYTES = 2048;

/** One call. A class, because V8 compiles closures anew for each stream and methods once. */
class GrpcStreamCall {
  private readonly stream: ServerStream;
  private readonly edgeCall: EdgeCall;
  private readonly items: ItemStream;
  private readonly form: ItemForm;
  private readonly context: ConnectContext;
  private readonly memory: CallMemory;
  private readonly encodings: ReturnType<typeof compressionNegotiate>;
  private readonly deframer: Deframer<MessageLease>;
  private readonly sendGuarded = (): void => this.guarded(this.send);
  private readonly readGuarded = (): void => {
    this.isReadPut = false;
    this.guarded(this.read);
  };
  private readonly waiting = new WaitingMessages((bytes) => this.deframe(bytes));
  private hasEnded = false;
  private isReadPut = false;
  /** The item that did not fit the window. */
  private offered: PredictStreamRequest | undefined = undefined;
  private offeredMessage: ArrivedMessage | undefined = undefined;
  private requestEnd: { readonly error: unknown } | undefined = undefined;
  private pendingConsumed = 0;
  private isDecoding = false;
  private isEncoding = false;
  private isWritable = true;
  private isScheduled = false;
  private hasResponded = false;
  private isDone = false;

  constructor(
    stream: ServerStream,
    edgeCall: EdgeCall,
    items: ItemStream,
    form: ItemForm,
    context: ConnectContext,
  ) {
    this.stream = stream;
    this.form = form;
    this.edgeCall = edgeCall;
    this.items = items;
    this.context = context;
    this.memory = new CallMemory(context.memory);
    const header = universalHeaders(stream.headers, "grpc");
    this.encodings = compressionNegotiate(
      [...context.compressions],
      header.get("grpc-encoding"),
      header.get("grpc-accept-encoding"),
      "grpc-accept-encoding",
    );
    const timeout = parseTimeout(header.get("grpc-timeout"), Number.MAX_SAFE_INTEGER);
    const refused = this.encodings.error ?? timeout.error;
    if (refused !== undefined) items.end(refused);
    const { maxMessageBytes } = context.limits;
    this.deframer = new Deframer(new LeasedFrames(messageMemory), maxMessageBytes, messageTooLarge);
  }

  /** Listens to the stream, the call and the items. */
  begin(): void {
    const { stream, items, edgeCall } = this;
    const onChange = (): void => {
      if (this.isScheduled) return;
      this.isScheduled = true;
      // The answers of a batch come one by one: they are sent together.
      queueMicrotask(this.sendGuarded);
    };
    const onFailure: EdgeCall["onFailure"] = (error) => this.finish(error);
    const onCancel: ServerStream["onCancel"] = (reason) => edgeCall.cancel(reason);
    const onDrain = (): void => {
      this.isWritable = true;
      this.sendGuarded();
    };
    const onData: ServerStream["onData"] = (bytes, end) => {
      if (this.isDone) return;
      try {
        this.takeBody(bytes, end);
      } catch (error) {
        this.finish(error);
      }
    };
    items.onChange = onChange;
    edgeCall.onFailure = onFailure;
    stream.onCancel = onCancel;
    stream.onDrain = onDrain;
    // It may have ended before anyone listened: it is refused, or the server shuts down.
    if (items.outcome !== undefined) onChange();
    stream.onData = onData;
  }

  /** What throws here is a bug or a malformed request: it ends the call, never the process. */
  private guarded(action: (this: this) => void): void {
    if (this.isDone) return;
    try {
      action.call(this);
    } catch (error) {
      this.finish(error);
    }
  }

  private takeBody(bytes: Uint8Array, end: boolean): void {
    if (this.requestEnd !== undefined) return;
    this.edgeCall.requestBytes += bytes.length;
    const refused = this.memory.take(bytes.length);
    if (refused !== undefined) throw refused;
    this.waiting.take(bytes);
    this.hasEnded ||= end;
    if (!this.isReadPut) this.read();
  }

  private deframe(bytes: Uint8Array): void {
    const { deframer } = this;
    deframer.push(bytes);
    try {
      for (let lease = deframer.next(); lease !== undefined; lease = deframer.next()) this.arrived(lease);
    } catch (error) {
      this.requestEnd = { error };
      this.waiting.dropRest();
    }
  }

  private arrived(lease: MessageLease): void {
    const { deframer, stream, memory } = this;
    const wireBytes = PREFIX_BYTES + deframer.length - this.pendingConsumed;
    this.waiting.add(new ArrivedMessage(deframer.flags, lease, wireBytes, stream, memory));
    this.pendingConsumed = 0;
  }

  /** All that came is read: the end, if it has come, or the rest of a message that is on its way. */
  private readEnd(): void {
    if (this.requestEnd === undefined && this.hasEnded) {
      const isCut = this.deframer.pendingBytes > 0;
      const error = isCut
        ? new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument)
        : undefined;
      this.requestEnd = { error };
    }
    if (this.requestEnd !== undefined) this.items.end(this.requestEnd.error);
    else this.consumePending();
  }

  /** Goes on in the next turn, where others have had theirs. */
  private readLater(): void {
    if (this.isReadPut) return;
    this.isReadPut = true;
    turnBudget.later(this.readGuarded);
  }

  /** Offers what has come, as far as the window allows. */
  private read(): void {
    const { items } = this;
    while (!this.isDecoding && !items.isEnding) {
      if (this.offered !== undefined) {
        if (!items.offer(this.offered, this.offeredMessage!)) return;
        this.offered = this.offeredMessage = undefined;
        continue;
      }
      if (!turnBudget.spend()) {
        this.readLater();
        return;
      }
      const next = this.waiting.next();
      if (next === undefined) {
        this.readEnd();
        return;
      }
      if ((next.flags & COMPRESSED_FLAG) === 0) this.decode(next, next.lease.bytes);
      else if (this.encodings.request !== null)
        this.decompress(this.encodings.request as MessageCompression, next);
      else {
        const what = "received compressed envelope, but do not know how to decompress";
        items.end(new ConnectError(what, Code.Internal));
      }
    }
  }

  private decode(message: ArrivedMessage, bytes: Uint8Array): void {
    turnBudget.weigh(bytes.length);
    const plain = this.form.plain(bytes);
    if (plain !== undefined && bytes.length <= LARGE_OCTETS) {
      const { plainHeapBytes } = this.form;
      // An item's own room does for a few tensors.
      if (plainHeapBytes > ROOM_BYTES) message.countHeap(bytes.length + plainHeapBytes);
      this.offered = plain;
      this.offeredMessage = message;
      return;
    }
    try {
      const { decoder } = this.context;
      const decoded =
        plain === undefined
          ? decoder.decode(this.form.message, bytes, this.memory)
          : decoder.ready(plain, bytes, this.memory);
      if (!(decoded instanceof Promise)) this.takeDecoded(message, bytes, decoded, plain);
      else {
        this.isDecoding = true;
        decoded.then(
          (result) => this.resume(() => this.takeDecoded(message, bytes, result, plain)),
          (error: unknown) => this.guarded(() => this.items.end(error)),
        );
      }
    } catch (error) {
      this.items.end(error);
    }
  }

  private takeDecoded(
    message: ArrivedMessage,
    bytes: Uint8Array,
    decoded: Decoded,
    plain: PredictStreamRequest | undefined,
  ): void {
    // What the decoder gave back of the octets is the message's no more.
    message.heldBytes += decoded.heldBytes - bytes.length;
    message.decodedBytes = decoded.decodedBytes;
    message.measured(Math.max(bytes.length, decoded.heldBytes));
    this.offered = plain ?? this.form.itemOf(decoded.message);
    this.offeredMessage = message;
  }

  private decompress(compression: MessageCompression, message: ArrivedMessage): void {
    this.isDecoding = true;
    const { bytes } = message.lease;
    this.context.decoder.decompress(compression, bytes, this.memory).then(
      (plain) =>
        this.resume(() => {
          message.heldBytes += plain.length - bytes.length;
          message.measured(plain.length);
          this.decode(message, plain);
        }),
      (error: unknown) => this.guarded(() => this.items.end(error)),
    );
  }

  private resume(action: () => void): void {
    this.isDecoding = false;
    this.guarded(() => {
      action();
      this.read();
    });
  }

  /** A message may be larger than the window: where nothing else is in the stream, its bytes are given back as they come. */
  private consumePending(): void {
    const byteCount = this.deframer.pendingBytes - this.pendingConsumed;
    if (byteCount === 0 || !this.items.isIdle) return;
    this.pendingConsumed += byteCount;
    this.stream.consume(byteCount);
  }

  /** Sends what is due, as far as the peer reads; then there is room for more. */
  private send(): void {
    this.isScheduled = false;
    const { items } = this;
    while (this.isWritable && !this.isEncoding) {
      if (!turnBudget.spend()) {
        this.sendLater();
        return;
      }
      const answer = items.take();
      if (answer === undefined) {
        if (items.outcome !== undefined) this.finish(items.outcome.error);
        break;
      }
      if ("error" in answer) this.edgeCall.itemFailed(answer.itemId, answer.error);
      const frame = this.form.answerFrame(answer, this.encodings.response, this.memory);
      if (frame instanceof Promise) this.sendWhenReady(frame);
      else this.write(frame);
    }
    if (!this.isDone && !this.isReadPut) this.read();
  }

  private sendLater(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    turnBudget.later(this.sendGuarded);
  }

  private sendWhenReady(frame: Promise<Uint8Array>): void {
    this.isEncoding = true;
    frame.then(
      (bytes) => {
        this.isEncoding = false;
        this.guarded(() => {
          this.write(bytes);
          this.send();
        });
      },
      (error: unknown) => this.guarded(() => this.finish(error)),
    );
  }

  private respond(): void {
    if (this.hasResponded) return;
    this.hasResponded = true;
    this.stream.respond(200, headerBlock(this.headFields()));
  }

  private headFields(): ReturnType<typeof responseFields> {
    const { stream, edgeCall, context, encodings } = this;
    const header = new Headers({ "content-type": "application/grpc+proto" });
    if (encodings.response !== null) header.set("grpc-encoding", encodings.response.name);
    return responseFields(header, stream.headers, edgeCall, context.corsOrigins);
  }

  private write(bytes: Uint8Array): void {
    this.respond();
    this.edgeCall.responseBytes += bytes.length;
    this.isWritable = this.stream.write(bytes);
  }

  private finish(error: unknown): void {
    if (this.isDone) return;
    this.isDone = true;
    this.memory.fail(error ?? "the stream has ended");
    if (error === undefined) {
      this.respond();
      this.stream.trailers(DONE);
    } else {
      const trailer = trailerFields(setTrailerStatus(new Headers(), publicError(error, this.edgeCall)));
      if (this.hasResponded) this.stream.trailers(headerBlock(trailer));
      // Trailers-Only: a head by itself would be an answer that has begun, which clients do not retry.
      else this.stream.respond(200, headerBlock([...this.headFields(), ...trailer]), true);
    }
    this.items.close();
    this.memory.end();
    this.edgeCall.end();
  }
}
