import type { Socket } from "node:net";
import { unreachable, unreadable } from "../failure.ts";
import type { CallAnswer, CallForm } from "../protocol/call-form.ts";
import {
  type CallConnection,
  type ConnectionHandlers,
  type ConnectionTarget,
  type OpenCallConnection,
  openSocket,
} from "./call-connection.ts";
import { Http1Answers } from "./http1-answers.ts";

/** Calls over HTTP/1.1: the octets of a request are made once, and one call is in flight at a time. */
export function http1Connections(target: ConnectionTarget, form: CallForm): OpenCallConnection {
  const fields = [
    ["host", new URL(target.url.origin).host] as const,
    ...form.fields,
    ["content-length", String(form.body.length)] as const,
  ];
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = Buffer.from(`POST ${form.path} HTTP/1.1\r\n${lines}\r\n`, "latin1");
  const request = Buffer.concat([head, form.body]);
  return async (handlers) => new Http1Connection(await openSocket(target), request, form, handlers);
}

class Http1Connection implements CallConnection {
  private readonly socket: Socket;
  private readonly request: Buffer;
  private readonly form: CallForm;
  private readonly handlers: ConnectionHandlers;
  private readonly answers: Http1Answers;
  /** Of the call in flight; -1: none. */
  private slot = -1;
  private isLost = false;
  private lastError: Error | undefined;

  constructor(socket: Socket, request: Buffer, form: CallForm, handlers: ConnectionHandlers) {
    this.socket = socket;
    this.request = request;
    this.form = form;
    this.handlers = handlers;
    this.answers = new Http1Answers((answer, mayGoOn) => this.answered(answer, mayGoOn));
    socket.on("data", (chunk: Buffer) => this.read(chunk));
    socket.on("error", (error) => {
      this.lastError ??= error;
    });
    socket.on("end", () => this.answers.end());
    socket.on("close", () => this.lost());
  }

  call(slot: number): void {
    this.slot = slot;
    this.socket.write(this.request);
  }

  /** What comes would be taken for the next call's answer, so the connection ends with it. */
  abandon(): void {
    this.slot = -1;
    this.lost();
  }

  close(): void {
    this.isLost = true;
    this.socket.destroy();
  }

  private read(chunk: Buffer): void {
    try {
      this.answers.read(chunk);
    } catch (error) {
      this.lastError = error as Error;
      this.lost();
    }
  }

  private answered(answer: CallAnswer, mayGoOn: boolean): void {
    const { slot } = this;
    this.slot = -1;
    if (!mayGoOn || slot < 0) this.lost();
    if (slot >= 0) this.handlers.onAnswer(slot, this.form.failure(answer));
  }

  private lost(): void {
    if (this.isLost) return;
    this.isLost = true;
    this.socket.destroy();
    const { slot, lastError } = this;
    this.handlers.onLost(lastError?.message ?? "it was closed");
    this.slot = -1;
    if (slot < 0) return;
    const { code } = (lastError ?? {}) as NodeJS.ErrnoException;
    const isForeign = lastError !== undefined && code === undefined;
    const why = lastError === undefined ? "" : ` (${code ?? lastError.message})`;
    const failure = isForeign ? unreadable(lastError.message) : unreachable(`the connection was lost${why}`);
    this.handlers.onAnswer(slot, failure);
  }
}
