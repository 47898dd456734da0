import { once } from "node:events";
import http2, { type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  GetModelResponseSchema,
  type Model,
  ModelSchema,
  ModelState,
} from "../../../gen/assay/v1/model_service_pb.ts";
import {
  type PredictStreamRequest,
  PredictStreamRequestSchema,
  PredictStreamResponseSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.ts";
import { toItemStatus } from "../../../src/edge/call/error-details.ts";
import type { AssayError } from "../../../src/errors.ts";
import { answerDeframer } from "../../../src/wire/answer-frames.ts";
import { framed } from "../clients/wire-octets.ts";

/** One PredictStream as its server sees it. */
export interface ScriptedStream {
  /** Counted from 0 over all connections. */
  readonly index: number;
  readonly session: ServerHttp2Session;
  readonly stream: ServerHttp2Stream;
  /** Every item that came. */
  readonly items: PredictStreamRequest[];
  /** Scores: one, the item's number. */
  answer(itemId: bigint): void;
  refuse(itemId: bigint, error: AssayError): void;
  /** Ends the stream with a status; without an error with OK. */
  end(error?: AssayError): void;
}

/** What a server does that Assay's own would rarely do; the rest is as it would. */
export interface Script {
  /** What clients may send before it reads. Default: HTTP/2's 65,535. */
  readonly windowBytes?: number;
  /** Default: `model()`. An error is the status of GetModel. */
  getModel?(call: number): Model | AssayError;
  onStream?(scripted: ScriptedStream): void;
  /** Default: answers. */
  onItem?(item: PredictStreamRequest, scripted: ScriptedStream): void | Promise<void>;
  /** Default: ends with OK. */
  onClientEnd?(scripted: ScriptedStream): void;
}

/** A server of gRPC on this machine that follows a script; whoever started it closes it. */
export interface ScriptedServer {
  readonly url: string;
  readonly streams: ScriptedStream[];
  readonly openSessions: number;
  close(): Promise<void>;
}

/** The model that scripted servers describe. */
export function scriptedModel(more: Partial<Pick<Model, "state" | "stateReason" | "sha256">> = {}): Model {
  const base = { modelName: "scripted", modelVersion: "3", state: ModelState.READY, sha256: "aa" };
  return create(ModelSchema, { ...base, ...more });
}

/** Starts it on a free port. */
export async function startScriptedServer(script: Script): Promise<ScriptedServer> {
  const streams: ScriptedStream[] = [];
  const { windowBytes = 65_535 } = script;
  const sessions = new Set<ServerHttp2Session>();
  let modelCalls = 0;
  const server: Http2Server = http2.createServer({
    settings: { initialWindowSize: windowBytes },
  });
  server.on("session", (session) => {
    sessions.add(session);
    if (windowBytes > 65_535) session.setLocalWindowSize(windowBytes);
    session.on("error", () => {});
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    if (String(headers[":path"]).endsWith("/GetModel")) getModel(stream);
    else predictStream(stream);
  });

  function getModel(stream: ServerHttp2Stream): void {
    stream.resume();
    const model = script.getModel?.(modelCalls++) ?? scriptedModel();
    if (model instanceof Error) {
      stream.respond(
        { ":status": 200, "content-type": "application/grpc", ...statusFields(model) },
        { endStream: true },
      );
      return;
    }
    respond(stream);
    stream.write(framed(0, toBinary(GetModelResponseSchema, create(GetModelResponseSchema, { model }))));
    endWith(stream);
  }

  function predictStream(stream: ServerHttp2Stream): void {
    const respondOnce = () => stream.headersSent || stream.destroyed || respond(stream);
    const scripted: ScriptedStream = {
      index: streams.length,
      session: stream.session as ServerHttp2Session,
      stream,
      items: [],
      answer(itemId) {
        respondOnce();
        const result = { case: "response" as const, value: { scores: [Number(itemId)] } };
        const message = create(PredictStreamResponseSchema, { itemId, result });
        stream.write(framed(0, toBinary(PredictStreamResponseSchema, message)));
      },
      refuse(itemId, error) {
        respondOnce();
        const result = { case: "status" as const, value: toItemStatus(error) };
        const message = create(PredictStreamResponseSchema, { itemId, result });
        stream.write(framed(0, toBinary(PredictStreamResponseSchema, message)));
      },
      end(error) {
        if (stream.destroyed || stream.writableEnded) return;
        respondOnce();
        endWith(stream, error);
      },
    };
    streams.push(scripted);
    const deframer = answerDeframer();
    stream.on("data", (piece: Buffer) => {
      deframer.push(piece);
      for (let message = deframer.next(); message !== undefined; message = deframer.next()) {
        const item = fromBinary(PredictStreamRequestSchema, message);
        scripted.items.push(item);
        if (script.onItem === undefined) scripted.answer(item.itemId);
        else void script.onItem(item, scripted);
      }
    });
    stream.on("end", () => {
      if (script.onClientEnd === undefined) scripted.end();
      else script.onClientEnd(scripted);
    });
    script.onStream?.(scripted);
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    streams,
    get openSessions() {
      return sessions.size;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}

function respond(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
}

function endWith(stream: ServerHttp2Stream, error?: AssayError): void {
  stream.once("wantTrailers", () => stream.sendTrailers(statusFields(error)));
  stream.end();
}

function statusFields(error: AssayError | undefined): Record<string, string> {
  if (error === undefined) return { "grpc-status": "0" };
  const status = toItemStatus(error);
  return {
    "grpc-status": String(status.code),
    "grpc-message": encodeURIComponent(status.message),
    "grpc-status-details-bin": Buffer.from(toBinary(StatusSchema, status)).toString("base64"),
  };
}
