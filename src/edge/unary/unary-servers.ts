import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { ServerStream } from "../../http2/stream.ts";
import { acceptedCoding } from "../call/content-coding.ts";
import { type ConnectContext, serveConnect } from "../connect/adapter.ts";
import { createMessageMemory } from "../grpc/message-memory.ts";
import type { StreamServer } from "../route-table.ts";
import { AcceptedEncodings, type CallHead, readCallHead } from "./call-head.ts";
import { type HandOver, serveUnary, type UnaryContext } from "./unary-call.ts";
import type { UnaryForm } from "./unary-form.ts";

const NO_FIELDS: CallHead = { timeoutMs: undefined, acceptEncoding: undefined };

/** Servers of calls that are plain; made once for an edge, whose memory for messages they share. */
export class UnaryServers {
  private readonly connect: ConnectContext;
  private readonly context: UnaryContext;
  private readonly encodings: AcceptedEncodings;

  constructor(context: ConnectContext) {
    this.connect = context;
    this.context = { ...context, messageMemory: createMessageMemory() };
    this.encodings = new AcceptedEncodings(context.compressions);
  }

  /** Of a procedure, with its forms by content type as clients write it; `handler` serves what shows late that it is not plain. */
  ofProcedure(forms: ReadonlyMap<string, UnaryForm>, handler: UniversalHandler): StreamServer {
    const handOver: HandOver = (stream, edgeCall) => serveConnect(stream, handler, this.connect, edgeCall);
    return (stream, path, params) => {
      if (stream.method !== "POST" || stream.path !== path) return false;
      const form = forms.get(stream.headers.get("content-type") ?? "");
      if (form === undefined || !form.protocol.accepts(stream)) return false;
      const { fields } = form.protocol;
      const head = fields === undefined ? NO_FIELDS : readCallHead(stream.headers, fields);
      if (head === undefined) return false;
      // In gRPC answers are packed where the request is (`universalHeaders`), and that one is not.
      const compression = form.protocol.name === "grpc" ? undefined : this.encodings.of(head.acceptEncoding);
      serveUnary(stream, form, { path, params, head, compression, handOver }, this.context);
      return true;
    };
  }

  /** Of a resource of plain HTTP. */
  ofResource(form: UnaryForm): StreamServer {
    const { protocol } = form;
    const { codings } = protocol;
    return (stream, path, params) => {
      if (!protocol.accepts(stream)) return false;
      const compression = codings && acceptedCoding(stream.headers.get("accept-encoding"), codings);
      const call = { path, params, head: NO_FIELDS, compression, handOver: cannotHandOver };
      serveUnary(stream, form, call, this.context);
      return true;
    };
  }
}

/** Only what is framed shows late that it is not plain. */
function cannotHandOver(stream: ServerStream): void {
  stream.reset(INTERNAL_ERROR);
}

const INTERNAL_ERROR = 2;
