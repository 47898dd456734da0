/**
 * Who calls: asked of every stream before anything serves it. Comes in: a stream. Goes out: its caller. Promises: nobody is served without a
 * key, a token or a certificate that is known, but for what probes ask; what was found of a connection's last caller is not looked up again,
 * and what a file says by then holds for all.
 */
import { readFileSync, statSync } from "node:fs";
import type { JSONWebKeySet } from "jose";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError, messageOf, withoutStack } from "../../errors.ts";
import type { ServerStream } from "../../http2/stream.ts";
import { type Caller, STRANGER } from "../../registry/caller.ts";
import type { Log } from "../../telemetry/log.ts";
import { certificateNames } from "./certificate-names.ts";
import { MOST_KEY_FILE_BYTES, readKeyLines } from "./key-file.ts";
import { digestOf, KeyRing } from "./key-ring.ts";
import { KnownCaller, RefusedCaller, unauthenticated } from "./known-caller.ts";
import { RateTable } from "./rate-table.ts";
import { TokenCheck, type TokenKeys, type TokenRules } from "./token-check.ts";

/** What a gate is made of; one of `keyFile` and `tokens` at least. */
export interface GateOptions {
  /** A name of a file; undefined: there are no keys and no certificates. */
  readonly keyFile: string | undefined;
  /** Undefined: tokens are not taken. `keys` is a file's name or a URL. */
  readonly tokens: (TokenRules & { readonly keys: string }) | undefined;
  /** Which the edges of a server share. */
  readonly rateMemory: SharedArrayBuffer;
  readonly log: Log;
}

/** The last caller of a connection. */
interface LastCaller {
  readonly field: string | undefined;
  readonly generation: number;
  readonly caller: KnownCaller;
}

const BEARER = /^Bearer +([^\s]+) *$/i;
const NO_KEY = new RefusedCaller(
  unauthenticated(
    "the server asks who calls, and no key came: send it as authorization: Bearer KEY, in gRPC as metadata",
  ),
);
const NOT_BEARER = new RefusedCaller(
  unauthenticated(
    "the field authorization does not hold one key: it has another scheme, nothing behind Bearer, spaces in the key, or came twice; " +
      "expected is authorization: Bearer KEY, once. Probes (/livez, /readyz) need none",
  ),
);
const UNKNOWN_KEY = new RefusedCaller(
  unauthenticated(
    "the key that came is none that the server knows: look for a sign too many or too few, and whether its line still " +
      "stands in the server's file of keys. Probes (/livez, /readyz) need none",
  ),
);

/** Asks who calls; made once for an edge. */
export class Gate {
  private readonly options: GateOptions;
  private readonly ring: KeyRing;
  private readonly tokens: TokenCheck | undefined;
  private readonly last = new WeakMap<object, LastCaller>();

  /** Reads its files; throws CONFIG_INVALID. */
  constructor(options: GateOptions) {
    const { keyFile, tokens, rateMemory, log } = options;
    this.options = options;
    this.ring = new KeyRing(new RateTable(rateMemory));
    if (keyFile !== undefined) this.ring.replace(readKeyFile(keyFile));
    if (tokens !== undefined) {
      const onUnavailable = (why: string): void =>
        log.warn(
          { jwks: tokens.keys, error: why },
          "a token could not be checked: the issuer's keys cannot be had",
        );
      this.tokens = new TokenCheck(tokens, readTokenKeys(tokens.keys), onUnavailable);
    }
  }

  /** The files that it was made from, to be watched. */
  get files(): readonly string[] {
    const { keyFile, tokens } = this.options;
    return [keyFile, tokens?.keys].filter((one) => one !== undefined && !isUrl(one)) as string[];
  }

  /** Reads a file again: what it says holds from now on. Throws CONFIG_INVALID, and what was said before holds on then. */
  reread(file: string): void {
    const { keyFile, tokens, log } = this.options;
    if (file === keyFile) {
      this.ring.replace(readKeyFile(file));
      log.info({ file, keys: this.ring.size }, "the keys were read again");
    }
    if (file === tokens?.keys) {
      this.tokens!.replace(readTokenKeys(file));
      log.info({ file }, "the issuer's keys were read again");
    }
  }

  /** Who sent a stream; a RefusedCaller where that is not known. */
  identify(stream: ServerStream): Caller | Promise<Caller> {
    const { connection, headers } = stream;
    const field = headers.get("authorization");
    const last = connection === undefined ? undefined : this.last.get(connection);
    if (
      last !== undefined &&
      last.field === field &&
      last.generation === this.generation &&
      last.caller.isFresh
    )
      return last.caller;
    const found = field === undefined ? this.byCertificate(connection) : this.byField(field, stream);
    if (found instanceof Promise) return found.then((caller) => this.remember(connection, field, caller));
    return this.remember(connection, field, found);
  }

  private get generation(): number {
    return this.tokens?.generation ?? 0;
  }

  private remember(connection: object | undefined, field: string | undefined, caller: Caller): Caller {
    if (connection !== undefined && caller instanceof KnownCaller)
      this.last.set(connection, { field, generation: this.generation, caller });
    return caller;
  }

  private byCertificate(connection: object | undefined): Caller {
    const names = connection === undefined ? [] : certificateNames(connection);
    return this.ring.byNames(names) ?? NO_KEY;
  }

  private byField(field: string, { headers }: ServerStream): Caller | Promise<Caller> {
    const secret = BEARER.exec(field)?.[1];
    if (secret === undefined || headers.getAll("authorization").length > 1) return NOT_BEARER;
    const digest = digestOf(secret);
    const caller = this.ring.byDigest(digest);
    if (caller !== undefined) return caller;
    if (this.tokens !== undefined && secret.split(".", 4).length === 3)
      return this.tokens.callerOf(secret, digest);
    return UNKNOWN_KEY;
  }
}

/** Whom a stream is served as: `isOpen` answers anybody, all else those who are known, and no faster than they may. */
export function admitted(caller: Caller, isOpen: boolean): Caller {
  if (isOpen) return caller.refusal() === undefined ? caller : STRANGER;
  const waitMs = caller.rate?.takeRequest() ?? 0;
  return waitMs === 0 ? caller : new RefusedCaller(tooFast(waitMs), caller.id);
}

function tooFast(waitMs: number): AssayError {
  const what = `the key has sent as much as it may for now (requests_per_second, rows_per_second): try again in ${waitMs} ms`;
  return withoutStack(() => new AssayError(Reason.RATE_EXCEEDED, what, { retryAfterMs: waitMs }));
}

function readKeyFile(file: string) {
  return readKeyLines(readText(file), file);
}

function readTokenKeys(where: string): TokenKeys {
  if (isUrl(where)) return { url: where };
  try {
    const set = JSON.parse(readText(where)) as JSONWebKeySet;
    if (!Array.isArray(set?.keys) || set.keys.length === 0) throw new Error("it has no list keys");
    return { set };
  } catch (cause) {
    if (cause instanceof AssayError) throw cause;
    // What JSON.parse says may quote a secret.
    const why = cause instanceof SyntaxError ? "it is no JSON" : messageOf(cause);
    throw new AssayError(Reason.CONFIG_INVALID, `${where} is no key set (JWKS): ${why}`);
  }
}

function readText(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > MOST_KEY_FILE_BYTES)
      throw new Error(`it has ${size} bytes, and ${MOST_KEY_FILE_BYTES} are taken at most`);
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new AssayError(Reason.CONFIG_INVALID, `${file} cannot be read: ${messageOf(cause)}`);
  }
}

function isUrl(where: string): boolean {
  return /^https?:\/\//i.test(where);
}
