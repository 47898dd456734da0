import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { ServerStream } from "../../http2/stream.ts";
import type { EdgeCall } from "../call/edge-call.ts";
import { type ConnectContext, serveConnect } from "../connect/adapter.ts";
import { createMessageMemory } from "../grpc/message-memory.ts";
import { AcceptedEncodings } from "./accepted-encodings.ts";
import { type CallHead, readCallHead } from "./call-head.ts";
import { serveUnary, type UnaryContext } from "./unary-call.ts";
import type { UnaryForm } from "./unary-form.ts";

/** The forms of one procedure that are served here, by content type in lower case. */
export type UnaryForms = ReadonlyMap<string, UnaryForm>;

const NO_FIELDS: CallHead = { timeoutMs: undefined, acceptEncoding: undefined };

/** Serves what is plain; made once for an edge. */
export class UnaryRoutes {
  private readonly forms: ReadonlyMap<string, UnaryForms>;
  private readonly context: ConnectContext & UnaryContext;
  private readonly predict: UnaryForm;
  private readonly encodings: AcceptedEncodings;

  /** `forms` by procedure's path; `predict`: the form of `/predict`. */
  constructor(forms: ReadonlyMap<string, UnaryForms>, predict: UnaryForm, context: ConnectContext) {
    this.forms = forms;
    this.predict = predict;
    this.context = { ...context, messageMemory: createMessageMemory() };
    this.encodings = new AcceptedEncodings(context.compressions);
  }

  /** Serves a call of a procedure where its header block says that it is plain; false: `handler` must. */
  serve(stream: ServerStream, path: string, handler: UniversalHandler): boolean {
    const forms = this.forms.get(path);
    if (forms === undefined || stream.method !== "POST" || stream.path !== path) return false;
    const form = forms.get(stream.headers.get("content-type") ?? "");
    if (form === undefined || !form.protocol.accepts(stream)) return false;
    const { fields } = form.protocol;
    const head = fields === undefined ? NO_FIELDS : readCallHead(stream.headers, fields);
    if (head === undefined) return false;
    const handOver = (replayed: ServerStream, edgeCall: EdgeCall) =>
      serveConnect(replayed, handler, this.context, edgeCall);
    const compression = this.encodings.of(head.acceptEncoding);
    serveUnary(stream, form, { path, head, compression, handOver }, this.context);
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
