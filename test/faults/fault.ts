import { gzipSync } from "node:zlib";
import { delimited, framed } from "../support/clients/wire-octets.ts";
import type { Bed } from "./bed.ts";

/** What a fault did to the package under test: whether it is there, and what was seen, as a few words. */
export interface Verdict {
  readonly faulty: boolean;
  readonly came: string;
}

/** One way in which a caller, an operator or a model could do harm, tried from outside. */
export interface Fault {
  /** What is done; the row's name in the table. */
  readonly name: string;
  /** Seconds after which it is given up as "still held". Default 40. */
  readonly seconds?: number;
  /** Starts what it needs on the bed, which ends it, and looks. */
  run(bed: Bed): Promise<Verdict>;
}

/** The largest message that a server takes unless told otherwise. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** A stall of /livez from which on the event loop counts as held; the machine may be busy with others. */
export const HELD_MS = 500;

/** A length-delimited protobuf field. */
export function field(number: number, bytes: Uint8Array | string): Buffer {
  const body = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  return delimited(number, body);
}

/** As many copies of a pattern as stand in `length` octets. */
export function filled(pattern: Uint8Array | string, length: number): Buffer {
  return Buffer.alloc(length - (length % Buffer.from(pattern).length), Buffer.from(pattern));
}

/** A gRPC frame, compressed where asked for. */
export function grpcFrame(message: Uint8Array, compressed = false): Buffer {
  return compressed ? framed(1, gzipSync(message)) : framed(0, message);
}
