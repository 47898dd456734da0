import { toBinary } from "@bufbuild/protobuf";
import { PredictStreamRequestSchema, StreamOptionsSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { DecodedFields } from "../../http2/hpack/hpack-decoder.ts";
import { AnswerDecoder } from "../../wire/answer-decoder.ts";
import { answerDeframer } from "../../wire/answer-frames.ts";
import { PREFIX_BYTES } from "../../wire/grpc-frame.ts";
import { statusError } from "../../wire/grpc-status.ts";
import { plainTag } from "../../wire/plain-tag.ts";
import { optionalBytes, varintBytes, WireWriter } from "../../wire/wire-writer.ts";
import { type Failure, statusFailure, unreachable, unreadable } from "../failure.ts";
import { responseFailure } from "../protocol/answer-check.ts";
import { GRPC_FIELDS, grpcFailure } from "../protocol/grpc.ts";
import {
  type CallConnection,
  type ConnectionHandlers,
  type ConnectionTarget,
  fieldsWithKey,
  type OpenCallConnection,
} from "./call-connection.ts";
import { openClient, requestHead } from "./http2-calls.ts";
import type { Http2Client, StreamListener } from "./http2-client.ts";

const PATH = "/assay.v1.ScoringService/PredictStream";
const ITEM_ID = plainTag(PredictStreamRequestSchema, "itemId");
const REQUEST = plainTag(PredictStreamRequestSchema, "request");
const OPTIONS = plainTag(PredictStreamRequestSchema, "options");

/** What every item of a stream holds. */
export interface StreamItems {
  /** A PredictRequest. */
  readonly request: Uint8Array;
  readonly rows: number;
}

/**
 * Items of PredictStream, one stream a connection, answered as they are ready. An item's number is its slot and one, so the octets
 * before the request are few and the request itself is the same for all.
 */
export function streamConnections(target: ConnectionTarget, items: StreamItems): OpenCallConnection {
  const head = requestHead(target, { path: PATH, fields: fieldsWithKey(GRPC_FIELDS, target) });
  return async (handlers) => {
    let stream: ItemStream | undefined;
    const client = await openClient(target, 1, (why) => {
      handlers.onLost(why);
      stream?.finish();
    });
    stream = new ItemStream(client, head, items, handlers);
    return stream;
  };
}

class ItemStream implements CallConnection, StreamListener {
  private readonly client: Http2Client;
  private readonly items: StreamItems;
  private readonly handlers: ConnectionHandlers;
  private readonly streamId: number;
  private readonly deframer = answerDeframer();
  private readonly decoder = new AnswerDecoder();
  private readonly inFlight = new Set<number>();
  private status = new Map<string, string>();
  private isFirst = true;

  constructor(client: Http2Client, head: Buffer, items: StreamItems, handlers: ConnectionHandlers) {
    this.client = client;
    this.items = items;
    this.handlers = handlers;
    this.streamId = client.open(head, this);
  }

  call(slot: number): void {
    const { request } = this.items;
    this.inFlight.add(slot);
    this.client.send(
      this.streamId,
      opening(slot + 1, request.length, this.isFirst ? options() : NO_BYTES),
      false,
    );
    this.client.send(this.streamId, request, false);
    this.isFirst = false;
  }

  /** A late answer would be taken for the slot's next item, so the whole stream ends. */
  abandon(slot: number): void {
    this.inFlight.delete(slot);
    this.fail(unreachable("the stream was ended, as one of its items was not answered in time"));
  }

  /** Says that no more items come: a server that drains answers what it has. */
  finish(): void {
    this.client.send(this.streamId, NO_BYTES, true);
  }

  close(): void {
    this.client.destroy();
  }

  onFields({ names, values }: DecodedFields): void {
    for (let i = 0; i < names.length; i++) this.status.set(names[i]!, values[i]!);
  }

  onData(bytes: Buffer): void {
    try {
      this.deframer.push(bytes);
      for (let message = this.deframer.next(); message !== undefined; message = this.deframer.next()) {
        this.answered(message);
      }
    } catch (error) {
      this.fail(unreadable((error as Error).message));
    }
  }

  onEnd(): void {
    const hasStatus = this.status.has("grpc-status");
    const isOk = this.status.get("grpc-status") === "0";
    this.fail(
      hasStatus && !isOk
        ? grpcFailure((name) => this.status.get(name))
        : unreachable(
            `the server ended the stream with HTTP status ${this.status.get(":status")} and its items unanswered`,
          ),
    );
  }

  onBroken(why: string): void {
    this.fail(unreachable(why));
  }

  private answered(message: Uint8Array): void {
    const { itemId, response, status } = this.decoder.decode(message);
    const slot = itemId - 1;
    if (!this.inFlight.delete(slot)) return;
    let failure: Failure | undefined;
    if (status !== undefined)
      failure = statusFailure(status.code, statusError(status), status.details.length > 0);
    else if (response === undefined) failure = unreadable("it has neither scores nor a status");
    else failure = responseFailure(response, this.items.rows);
    this.handlers.onAnswer(slot, failure);
  }

  /** All that is unanswered fails, and another stream takes its place. */
  private fail(failure: Failure): void {
    this.client.destroy();
    this.handlers.onLost(failure.message);
    const slots = [...this.inFlight];
    this.inFlight.clear();
    for (const slot of slots) this.handlers.onAnswer(slot, failure);
  }
}

const NO_BYTES = new Uint8Array(0);

/** Answers as they are ready: an item's latency is its own. */
function options(): Uint8Array {
  return toBinary(StreamOptionsSchema, { $typeName: "assay.v1.StreamOptions", unordered: true, lane: 0 });
}

/** All of an item's message that stands before the octets of its request. */
function opening(itemId: number, requestBytes: number, optionBytes: Uint8Array): Buffer {
  const ownBytes =
    1 + varintBytes(itemId) + optionalBytes(optionBytes.length) + 1 + varintBytes(requestBytes);
  const writer = new WireWriter(Buffer.allocUnsafe(PREFIX_BYTES + ownBytes));
  writer.prefix(ownBytes + requestBytes);
  writer.tagged(ITEM_ID, itemId);
  if (optionBytes.length > 0) writer.field(OPTIONS, optionBytes);
  writer.tagged(REQUEST, requestBytes);
  return writer.cut();
}
