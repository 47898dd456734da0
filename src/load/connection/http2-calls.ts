import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { DecodedFields } from "../../http2/hpack/hpack-decoder.ts";
import { encodeFields } from "../../http2/hpack/hpack-encoder.ts";
import { unreachable } from "../failure.ts";
import type { CallAnswer, CallForm } from "../protocol/call-form.ts";
import {
  type CallConnection,
  type ConnectionHandlers,
  type ConnectionTarget,
  type OpenCallConnection,
  openSocket,
} from "./call-connection.ts";
import { type Http2Client, openHttp2, type StreamListener } from "./http2-client.ts";

const NO_BYTES = Buffer.alloc(0);

/** The encoded head of a request; it refers to no table, so it is the same for every stream. */
export function requestHead({ url }: ConnectionTarget, form: Pick<CallForm, "path" | "fields">): Buffer {
  return encodeFields([
    [":method", "POST"],
    [":scheme", url.isSecure ? "https" : "http"],
    [":path", form.path],
    [":authority", new URL(url.origin).host],
    ...form.fields.map(([name, value]): [string, string] => [name, value]),
  ]);
}

/** Opens HTTP/2 to a target; rejects with SERVER_UNREACHABLE, and LIMIT_REACHED where it takes fewer streams than are needed. */
export async function openClient(
  target: ConnectionTarget,
  streams: number,
  onAway: (why: string) => void,
): Promise<Http2Client> {
  const { origin } = target.url;
  const socket = await openSocket(target);
  let client: Http2Client;
  try {
    client = await openHttp2(socket, { onAway: (why) => onAway(`${origin}: ${why}`) });
  } catch (error) {
    const { message } = error as Error;
    throw new AssayError(Reason.SERVER_UNREACHABLE, `${origin}: no HTTP/2 connection: ${message}`);
  }
  if (streams <= client.mostStreams) return client;
  client.destroy();
  throw new AssayError(
    Reason.LIMIT_REACHED,
    `${origin} takes ${client.mostStreams} calls at a time on one connection, and ${streams} were to be in flight on each: raise --connections`,
  );
}

/** Unary calls over HTTP/2, a stream each; `slots` are in flight on one connection at most. */
export function http2Connections(
  target: ConnectionTarget,
  form: CallForm,
  slots: number,
): OpenCallConnection {
  const head = requestHead(target, form);
  return async (handlers) => {
    const client = await openClient(target, slots, (why) => handlers.onLost(why));
    return new Http2Calls(client, head, form, handlers);
  };
}

class Http2Calls implements CallConnection {
  private readonly client: Http2Client;
  private readonly head: Buffer;
  private readonly form: CallForm;
  private readonly handlers: ConnectionHandlers;
  /** By slot; each is used again and again. */
  private readonly calls = new Map<number, UnaryCall>();

  constructor(client: Http2Client, head: Buffer, form: CallForm, handlers: ConnectionHandlers) {
    this.client = client;
    this.head = head;
    this.form = form;
    this.handlers = handlers;
  }

  call(slot: number): void {
    let call = this.calls.get(slot);
    if (call === undefined) {
      call = new UnaryCall(slot, this.form, this.handlers);
      this.calls.set(slot, call);
    }
    call.begin();
    call.streamId = this.client.open(this.head, call);
    this.client.send(call.streamId, this.form.body, true);
  }

  abandon(slot: number): void {
    const call = this.calls.get(slot);
    if (call !== undefined) this.client.cancel(call.streamId);
  }

  close(): void {
    this.client.destroy();
  }
}

class UnaryCall implements StreamListener, CallAnswer {
  streamId = 0;
  status = 0;
  body: Buffer = NO_BYTES;
  private readonly slot: number;
  private readonly form: CallForm;
  private readonly handlers: ConnectionHandlers;
  private head: DecodedFields | undefined;
  private trailers: DecodedFields | undefined;
  /** Behind the first piece of the body. */
  private more: Buffer[] | undefined;

  constructor(slot: number, form: CallForm, handlers: ConnectionHandlers) {
    this.slot = slot;
    this.form = form;
    this.handlers = handlers;
  }

  begin(): void {
    this.status = 0;
    this.body = NO_BYTES;
    this.head = this.trailers = this.more = undefined;
  }

  field(name: string): string | undefined {
    return fieldValue(this.head, name);
  }

  trailer(name: string): string | undefined {
    return fieldValue(this.trailers, name);
  }

  onFields(fields: DecodedFields): void {
    if (this.head !== undefined) {
      this.trailers = fields;
      return;
    }
    const status = Number(fieldValue(fields, ":status"));
    // What is said on the way is no answer.
    if (status < 200) return;
    this.status = status;
    this.head = fields;
  }

  onData(bytes: Buffer): void {
    if (this.body.length === 0) this.body = bytes;
    else {
      this.more ??= [this.body];
      this.more.push(bytes);
    }
  }

  onEnd(): void {
    if (this.more !== undefined) this.body = Buffer.concat(this.more);
    const failure = this.form.failure(this);
    this.body = NO_BYTES;
    this.handlers.onAnswer(this.slot, failure);
  }

  onBroken(why: string): void {
    this.handlers.onAnswer(this.slot, unreachable(why));
  }
}

function fieldValue(fields: DecodedFields | undefined, name: string): string | undefined {
  if (fields === undefined) return undefined;
  const at = fields.names.indexOf(name);
  return at < 0 ? undefined : fields.values[at];
}
