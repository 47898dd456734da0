/**
 * One call with one message each way, in any protocol, framed here on the stream interface: through Connect's handlers it costs two to
 * six times as much. Comes in: a stream whose header block says that the call is plain. Goes out: what Connect's handlers would send, which
 * are the reference, and serve what shows late that it is not plain: its octets are played to them again.
 * Promises: the duties of a call are `edge-call.ts`'s; nothing is decoded beyond the limits; every call ends with its answer, its
 * caller or its deadline.
 */
import type { ServerStream } from "../../http2/stream.ts";
import { Deframer, NOTHING_KEPT } from "../../wire/deframer.ts";
import { PREFIX_BYTES } from "../../wire/grpc-frame.ts";
import type { MessageCompression } from "../call/compression.ts";
import { beginCall, type EdgeCall } from "../call/edge-call.ts";
import type { MessageMemory } from "../grpc/message-memory.ts";
import { CallMemory } from "../memory/call-memory.ts";
import { messageTooLarge } from "../memory/message-limit.ts";
import type { PlainContext } from "../plain/plain-http.ts";
import type { PathParams } from "../route-table.ts";
import { ArrivedBody } from "./arrived-body.ts";
import type { CallHead } from "./call-head.ts";
import { ReplayedStream } from "./replayed-stream.ts";
import { type AnsweredCall, COMPRESS_MIN_BYTES, type UnaryForm } from "./unary-form.ts";

/** What all such calls share. */
export interface UnaryContext extends PlainContext {
  readonly messageMemory: MessageMemory;
}

/** Serves a stream that is not plain after all, whose call has begun. */
export type HandOver = (stream: ServerStream, edgeCall: EdgeCall) => void;

/** What is known of a plain call when its header block has come. */
export interface PlainCall {
  /** Of the procedure or the resource. */
  readonly path: string;
  readonly params: PathParams;
  readonly head: CallHead;
  readonly compression: MessageCompression | undefined;
  readonly handOver: HandOver;
}

/** Serves one plain call. */
export function serveUnary(
  stream: ServerStream,
  form: UnaryForm,
  call: PlainCall,
  context: UnaryContext,
): void {
  new UnaryCall(stream, form, call, context).begin();
}

/** A class, because V8 compiles closures anew for each call and methods once. */
class UnaryCall implements AnsweredCall {
  readonly stream: ServerStream;
  readonly edgeCall: EdgeCall;
  readonly corsOrigins: readonly string[];
  readonly compression: MessageCompression | undefined;
  private readonly form: UnaryForm;
  private readonly handOver: HandOver;
  readonly params: PathParams;
  private readonly memory: CallMemory;
  private readonly body: ArrivedBody;
  private readonly maxMessageBytes: number;
  /** Of a framed message; its octets lie in the body, with whatever else comes. */
  private readonly deframer: Deframer<true> | undefined;
  private hasEnded = false;
  private isDecoding = false;
  request: { readonly message: unknown } | undefined = undefined;
  private isRunning = false;
  private isDone = false;
  private replayed: ReplayedStream | undefined = undefined;

  constructor(stream: ServerStream, form: UnaryForm, call: PlainCall, context: UnaryContext) {
    const { limits } = context;
    this.stream = stream;
    this.form = form;
    this.compression = call.compression;
    this.handOver = call.handOver;
    this.params = call.params;
    this.corsOrigins = context.corsOrigins;
    this.maxMessageBytes = limits.maxMessageBytes;
    this.edgeCall = beginCall(stream, {
      procedure: call.path,
      sendsDetails: true,
      protocol: form.protocol.name,
      lane: "interactive",
      timeoutMs: call.head.timeoutMs,
      callTimeoutMs: limits.callTimeoutMs,
      bodyTimeoutMs: limits.bodyTimeoutMs,
      shared: context,
    });
    this.memory = new CallMemory(context.memory);
    this.body = new ArrivedBody(context.messageMemory, PREFIX_BYTES + limits.maxMessageBytes);
    this.deframer = form.protocol.isFramed
      ? new Deframer(NOTHING_KEPT, limits.maxMessageBytes, messageTooLarge)
      : undefined;
  }

  /** Listens to the stream and the call. */
  begin(): void {
    const { stream, edgeCall } = this;
    const onFailure: EdgeCall["onFailure"] = (error) => this.finish(error);
    const onCancel: ServerStream["onCancel"] = (reason) => edgeCall.cancel(reason);
    const onData: ServerStream["onData"] = (bytes, end) => {
      try {
        this.takeBody(bytes, end);
      } catch (error) {
        this.finish(error);
      }
    };
    edgeCall.onFailure = onFailure;
    stream.onCancel = onCancel;
    const announced = this.deframer !== undefined ? undefined : stream.headers.get("content-length");
    if (announced !== undefined) this.body.announcedBytes = Number(announced);
    if (announced !== undefined && Number(announced) > this.maxMessageBytes) {
      this.finish(messageTooLarge(this.maxMessageBytes, Number(announced)));
    } else stream.onData = onData;
  }

  private takeBody(bytes: Uint8Array, end: boolean): void {
    if (this.replayed !== undefined) {
      this.replayed.take(bytes, end);
      return;
    }
    if (this.isDone) return;
    if (bytes.length > 0) {
      this.edgeCall.requestBytes += bytes.length;
      this.stream.consume(bytes.length);
      const refused = this.memory.take(bytes.length);
      if (refused !== undefined) throw refused;
    }
    if (this.isDecoding || this.request !== undefined) {
      // Decoding may go on with what lies in the body, which stays where it is.
      if (bytes.length > 0) this.playAgain(bytes, end);
      else if (end) this.ended();
      return;
    }
    this.body.add(bytes);
    this.hasEnded = end;
    if (this.deframer === undefined) this.readWhole();
    else this.readFrame(this.deframer, bytes);
  }

  private readWhole(): void {
    if (this.body.length > this.maxMessageBytes) throw messageTooLarge(this.maxMessageBytes);
    if (!this.hasEnded) return;
    this.edgeCall.bodyArrived();
    this.decode(0);
  }

  private readFrame(deframer: Deframer<true>, bytes: Uint8Array): void {
    deframer.push(bytes);
    const isWhole = deframer.next() !== undefined;
    const isAlone = isWhole ? this.body.length === PREFIX_BYTES + deframer.length : !this.hasEnded;
    // A flag has a meaning that is not plain, or none.
    if (!isAlone || deframer.flags !== 0) this.playAgain(NO_BYTES, this.hasEnded);
    else if (isWhole) {
      if (this.hasEnded) this.edgeCall.bodyArrived();
      this.decode(PREFIX_BYTES);
    } else if (this.body.length >= PREFIX_BYTES) this.body.announcedBytes = PREFIX_BYTES + deframer.length;
  }

  /** A malformed message is refused before the end comes. */
  private decode(start: number): void {
    const { edgeCall, stream, params, memory } = this;
    const bytes = this.body.from(start);
    const decoded = this.form.codec.decode(bytes, memory, params, edgeCall.call, stream.headers);
    if (!(decoded instanceof Promise)) {
      this.request = { message: decoded };
      this.run();
      return;
    }
    this.isDecoding = true;
    decoded.then(
      (message) => {
        this.isDecoding = false;
        this.request = { message };
        this.guarded(this.run);
      },
      (error: unknown) => {
        this.isDecoding = false;
        this.finish(error);
      },
    );
  }

  private ended(): void {
    this.hasEnded = true;
    this.edgeCall.bodyArrived();
    this.run();
  }

  private run(): void {
    if (this.isDone || this.isRunning || this.request === undefined || !this.hasEnded) return;
    this.isRunning = true;
    this.form.run(this.request.message, this.edgeCall.call).then(
      (response) => {
        if (!this.isDone) this.answer(response);
      },
      (error: unknown) => this.finish(error, true),
    );
  }

  private answer(response: unknown): void {
    try {
      const { codec, protocol } = this.form;
      const encoded = codec.encode(response, protocol.prefixBytes, this.memory);
      if (!(encoded instanceof Promise)) this.send(encoded, response);
      else {
        encoded.then(
          (bytes) => this.guarded(() => this.send(bytes, response)),
          (error: unknown) => this.finish(error),
        );
      }
    } catch (error) {
      this.finish(error, true);
    }
  }

  private send(bytes: Uint8Array, response: unknown): void {
    const { compression } = this;
    const { protocol } = this.form;
    const { prefixBytes } = protocol;
    if (compression === undefined || bytes.length - prefixBytes < COMPRESS_MIN_BYTES) {
      this.respond(bytes, false, response);
      return;
    }
    compression.compress(bytes.subarray(prefixBytes)).then(
      (compressed) =>
        this.guarded(() => {
          const whole = Buffer.allocUnsafe(prefixBytes + compressed.length);
          whole.set(compressed, prefixBytes);
          this.respond(whole, true, response);
        }),
      (error: unknown) => this.finish(error),
    );
  }

  private respond(bytes: Uint8Array, isCompressed: boolean, response: unknown): void {
    this.isDone = true;
    this.edgeCall.responseBytes = bytes.length;
    try {
      this.form.protocol.respond(this, bytes, isCompressed, response);
    } catch (error) {
      this.giveUp(error);
    }
    this.end(true);
  }

  private guarded(action: (this: this) => void): void {
    if (this.isDone) return;
    try {
      action.call(this);
    } catch (error) {
      this.finish(error);
    }
  }

  /** `isIdle`: nothing below reads the request any more. */
  private finish(error: unknown, isIdle = false): void {
    if (this.isDone) return;
    this.isDone = true;
    this.memory.fail(error);
    const isUnread = isIdle || !this.isRunning;
    try {
      const sent = this.form.protocol.fail(this, error);
      if (sent !== undefined) {
        sent.catch((failure: unknown) => this.giveUp(failure)).finally(() => this.end(isUnread));
        return;
      }
    } catch (failure) {
      this.giveUp(failure);
    }
    this.end(isUnread);
  }

  /** An answer that cannot be sent is a bug; the stream ends with it all the same. */
  private giveUp(failure: unknown): void {
    this.edgeCall.asAssayError(failure);
    this.stream.reset(INTERNAL_ERROR);
  }

  /** Memory that something may still read is left to the collector. */
  private end(isIdle: boolean): void {
    if (isIdle && !this.isDecoding) this.body.release();
    this.memory.end();
    this.edgeCall.end();
  }

  /** Gives the call to Connect's handlers, which say what is wrong with it or serve it. */
  private playAgain(more: Uint8Array, end: boolean): void {
    this.isDone = true;
    const came = Buffer.concat([this.body.from(0), more]);
    if (!this.isDecoding) this.body.release();
    this.memory.fail("others serve the call");
    this.memory.end();
    // They are counted as they are read again.
    this.edgeCall.requestBytes = 0;
    this.replayed = new ReplayedStream(this.stream, came, end);
    try {
      this.handOver(this.replayed, this.edgeCall);
    } catch (failure) {
      this.giveUp(failure);
      this.edgeCall.end();
    }
  }
}

const INTERNAL_ERROR = 2;
const NO_BYTES = new Uint8Array(0);
