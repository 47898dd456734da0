import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { ServerStream } from "../../http2/stream.ts";
import { type ConnectContext, serveConnect } from "../connect/adapter.ts";
import { createMessageMemory } from "../grpc/message-memory.ts";
import { AcceptedEncodings, type CallHead, readCallHead } from "./call-head.ts";
import { type HandOver, serveUnary, type UnaryContext } from "./unary-call.ts";
import type { UnaryForm } from "./unary-form.ts";

/** A procedure that is served here where a call of it is plain. */
export interface UnaryProcedure {
  /** By content type, as clients write it. */
  readonly forms: ReadonlyMap<string, UnaryForm>;
  /** Serves what is not plain. */
  readonly handler: UniversalHandler;
}

interface Served {
  readonly forms: ReadonlyMap<string, UnaryForm>;
  readonly handOver: HandOver;
}

const NO_FIELDS: CallHead = { timeoutMs: undefined, acceptEncoding: undefined };

/** Serves what is plain; made once for an edge. */
export class UnaryRoutes {
  private readonly procedures = new Map<string, Served>();
  private readonly predict: UnaryForm;
  private readonly context: UnaryContext;
  private readonly encodings: AcceptedEncodings;

  /** `predict`: the form of `/predict`. */
  constructor(procedures: readonly UnaryProcedure[], predict: UnaryForm, context: ConnectContext) {
    for (const { forms, handler } of procedures) {
      const handOver: HandOver = (stream, edgeCall) => serveConnect(stream, handler, context, edgeCall);
      this.procedures.set(handler.requestPath, { forms, handOver });
    }
    this.predict = predict;
    this.context = { ...context, messageMemory: createMessageMemory() };
    this.encodings = new AcceptedEncodings(context.compressions);
  }

  /** Serves a call of a procedure where its header block says that it is plain; false: others must. */
  serve(stream: ServerStream, path: string): boolean {
    const served = this.procedures.get(path);
    if (served === undefined || stream.method !== "POST" || stream.path !== path) return false;
    const form = served.forms.get(stream.headers.get("content-type") ?? "");
    if (form === undefined || !form.protocol.accepts(stream)) return false;
    const { fields } = form.protocol;
    const head = fields === undefined ? NO_FIELDS : readCallHead(stream.headers, fields);
    if (head === undefined) return false;
    const compression = this.encodings.of(head.acceptEncoding);
    serveUnary(stream, form, { path, head, compression, handOver: served.handOver }, this.context);
    return true;
  }

  /** Serves `/predict` where its body is not compressed. */
  servePredict(stream: ServerStream, path: string): boolean {
    const form = this.predict;
    if (!form.protocol.accepts(stream)) return false;
    serveUnary(stream, form, { path, head: NO_FIELDS, compression: undefined, handOver }, this.context);
    return true;
  }
}

/** Only what is framed shows late that it is not plain. */
function handOver(stream: ServerStream): void {
  stream.reset(INTERNAL_ERROR);
}

const INTERNAL_ERROR = 2;
