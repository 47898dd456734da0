/**
 * What a relay thread of the server and the process of a model say to each other over one socket pair: a start (the plan, then
 * the ONNX protobuf), its outcome, then runs, one at a time, as frames. A message is a code and a length, then its bytes; the process answers with a
 * status, RUN_OK or the number of a Reason, and a frame or a text. The process reads and writes at SOCKET; its standard
 * input says nothing and ends when the server does, however that ends.
 */
import { readSync, writeSync } from "node:fs";
import type { SessionStart } from "../channel.ts";

/** The descriptor of the socket in the process. */
export const SOCKET = 3;

/** To the process: a SessionStart without its bytes, as V8 serializes it. */
export const PLAN = 1;
/** To the process: the ONNX protobuf. */
export const MODEL = 2;
/** To the process: a frame of inputs. */
export const RUN = 3;
/** To the process: free the session and end. */
export const END = 4;

/** A SessionStart as PLAN carries it. The answer to it, where it succeeded, is what runs the model's trees. */
export type CarriedPlan = Omit<SessionStart, "bytes">;

// Writing and reading block: both ends stand in threads that have nothing else to do.
const HEADER_BYTES = 8;
/** Calls of one system call each; larger ones hold buffers of this size in the kernel. */
const CALL_BYTES = 2 ** 20;

/** The head of a message: what it is, and how many bytes follow. */
export interface MessageHead {
  readonly code: number;
  readonly byteLength: number;
}

/** Writes a message to a blocking descriptor. Throws EPIPE where nobody reads any more. */
export function writeMessage(descriptor: number, code: number, body: Uint8Array): void {
  const head = new Uint8Array(HEADER_BYTES);
  const words = new DataView(head.buffer);
  words.setInt32(0, code, true);
  words.setUint32(4, body.length, true);
  writeAll(descriptor, head);
  writeAll(descriptor, body);
}

/** Reads a message's head; undefined where the other side has closed. */
export function readHead(descriptor: number): MessageHead | undefined {
  const head = new Uint8Array(HEADER_BYTES);
  if (!readAll(descriptor, head)) return undefined;
  const words = new DataView(head.buffer);
  return { code: words.getInt32(0, true), byteLength: words.getUint32(4, true) };
}

/** Fills `bytes`; false where the other side closed before that. */
export function readAll(descriptor: number, bytes: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length) {
    const count = readSync(descriptor, bytes, at, Math.min(CALL_BYTES, bytes.length - at), null);
    if (count === 0) return false;
    at += count;
  }
  return true;
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length)
    at += writeSync(descriptor, bytes, at, Math.min(CALL_BYTES, bytes.length - at), null);
}
