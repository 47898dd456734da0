/**
 * The server side of one HTTP exchange, the same for HTTP/1.1 and HTTP/2 and for every engine that serves them.
 * Comes in: a request whose header block is complete. Goes out: status, header block, body, trailers.
 * Promises: callbacks never overlap and never run inside a call that the handler makes on the stream;
 * bytes handed to `onData` are a view that is valid until the callback returns; bytes arrive only as fast as
 * they are consumed; after `onCancel`, and after the response has ended, every method is a harmless no-op.
 */

/** Why an exchange ended before its response did. */
export type CancelReason =
  | { readonly kind: "reset"; readonly code: number }
  | { readonly kind: "connection-lost" }
  | { readonly kind: "drain-limit" };

/** Header fields in wire order: lower-case names, repeated values kept, pseudo-headers left out. */
export interface Headers {
  /** The first value of `name` (lower case), or undefined. */
  get(name: string): string | undefined;
  /** Every value of `name` (lower case) in wire order; empty where there is none. */
  getAll(name: string): readonly string[];
  /** All fields in wire order. */
  entries(): Iterable<readonly [name: string, value: string]>;
}

/**
 * Response header or trailer fields. Made once by `headerBlock` and reused: an engine keeps its encoded form beside it, so a constant
 * block costs nothing after its first use.
 */
export interface HeaderBlock {
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The block that the fields begin with. */
  readonly base: HeaderBlock | undefined;
  /** The fields after those of the base. */
  readonly own: HeaderBlock["fields"];
  /** An engine's own; nobody else reads it. */
  encoded: Uint8Array | undefined;
}

/**
 * Makes a block of lower-case field names and values; a repeated name is sent as repeated fields. With `base`, a constant block, they
 * come after its fields, which are not encoded again.
 */
export function headerBlock(own: HeaderBlock["fields"], base?: HeaderBlock): HeaderBlock {
  return new Block(own, base);
}

/** Engines send the base as it is, so its fields are joined to the block's own only where somebody asks for them. */
class Block implements HeaderBlock {
  readonly own: HeaderBlock["fields"];
  readonly base: HeaderBlock | undefined;
  encoded: Uint8Array | undefined = undefined;

  constructor(own: HeaderBlock["fields"], base: HeaderBlock | undefined) {
    this.own = own;
    this.base = base;
  }

  get fields(): HeaderBlock["fields"] {
    return this.base === undefined ? this.own : [...this.base.fields, ...this.own];
  }
}

/** One request and the response to it. The engine that made the stream closes it. */
export interface ServerStream {
  readonly method: string;
  /** Path with its query, as sent. */
  readonly path: string;
  readonly authority: string;
  readonly headers: Headers;
  readonly httpVersion: 1 | 2;
  readonly encrypted: boolean;
  readonly remoteAddress: string;
  /** The same object for each stream of a connection, its socket: whoever knows something of a connection keeps it by this. */
  readonly connection?: object;
  /** Who calls, as whoever hands the stream on found; an engine never reads it. */
  caller?: unknown;
  /**
   * Takes body bytes; `bytes` is a view, valid until the callback returns. `end` comes once, possibly with no bytes.
   * Data that came before the handler was set is held, within the receive window, and handed over once it is set.
   */
  onData: (bytes: Uint8Array, end: boolean) => void;
  /** Gives the peer `byteCount` bytes of its window back; what is never consumed stops the peer. */
  consume(byteCount: number): void;
  /** Called at most once, and never after the response has ended. */
  onCancel: (reason: CancelReason) => void;
  /** Sends status and header fields; with `end`, nothing follows. Called once. */
  respond(status: number, headers: HeaderBlock, end?: boolean): void;
  /** Takes ownership of `bytes`. False: stop until `onDrain`; what was passed is kept and will be sent. */
  write(bytes: Uint8Array, end?: boolean): boolean;
  onDrain: () => void;
  /** Sends trailer fields and ends the response. HTTP/1.1 sends them as chunked trailers. */
  trailers(headers: HeaderBlock): void;
  /** Ends both directions at once with an HTTP/2 error code; HTTP/1.1 closes the connection. */
  reset(code: number): void;
}

/** Serves one stream; called as soon as its header block is complete. */
export type StreamHandler = (stream: ServerStream) => void;
