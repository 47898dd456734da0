/**
 * Tokens (JWT, RFC 7519) of an issuer whose keys lie in a file or at a URL. Comes in: a token. Goes out: whom it stands for. Promises: a
 * signature is checked once a token, and the token then known until it expires; what is known and what is being checked is bounded.
 */
import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from "jose";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError, messageOf, withoutStack } from "../../errors.ts";
import type { Caller } from "../../registry/caller.ts";
import { KnownCaller, RefusedCaller, unauthenticated } from "./known-caller.ts";

/** Which tokens are taken. */
export interface TokenRules {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
  readonly clockToleranceMs: number;
}

/** Where the issuer's keys are: a URL that is asked when a key is wanted, or a set that was read. */
export type TokenKeys = { readonly url: string } | { readonly set: JSONWebKeySet };

const MOST_KNOWN = 10_000;
const MOST_BEING_CHECKED = 256;
/** A key that its issuer takes back is believed as long. */
const MOST_KNOWN_MS = 600_000;
const FETCH_MS = 5_000;
const MOST_SET_BYTES = 1_048_576;

/** Checks tokens; makes callers of them. */
export class TokenCheck {
  private readonly rules: TokenRules;
  private readonly onUnavailable: (why: string) => void;
  private keys: TokenKeys;
  private keySet: Promise<JWTVerifyGetKey> | undefined = undefined;
  private readonly known = new Map<string, KnownCaller>();
  private beingChecked = 0;
  /** Counts the sets of keys that were taken: what was checked by an older one is checked anew. */
  generation = 0;

  /** `onUnavailable` is told why the issuer's keys cannot be had. */
  constructor(rules: TokenRules, keys: TokenKeys, onUnavailable: (why: string) => void) {
    this.rules = rules;
    this.keys = keys;
    this.onUnavailable = onUnavailable;
  }

  /** Takes other keys of the issuer. */
  replace(keys: TokenKeys): void {
    this.keys = keys;
    this.keySet = undefined;
    this.known.clear();
    this.generation++;
  }

  /** Whom a token stands for, by the token and its digest: at once where it was checked before. */
  callerOf(token: string, digest: string): Caller | Promise<Caller> {
    const known = this.known.get(digest);
    if (known !== undefined) {
      if (known.isFresh) return known;
      this.known.delete(digest);
    }
    if (this.beingChecked >= MOST_BEING_CHECKED) {
      const what = `${MOST_BEING_CHECKED} tokens are being checked, and no more at a time`;
      return new RefusedCaller(withoutStack(() => new AssayError(Reason.LIMIT_REACHED, what)));
    }
    this.beingChecked++;
    return this.check(token, digest).finally(() => {
      this.beingChecked--;
    });
  }

  private async check(token: string, digest: string): Promise<Caller> {
    const { generation } = this;
    const { issuer, audience, algorithms, clockToleranceMs } = this.rules;
    try {
      const { jwtVerify } = await import("jose");
      this.keySet ??= openKeySet(this.keys);
      const { payload } = await jwtVerify(token, await this.keySet, {
        issuer,
        audience: [...audience],
        algorithms: [...algorithms],
        clockTolerance: clockToleranceMs / 1000,
        requiredClaims: ["exp"],
      });
      const expiresAtMs = payload.exp! * 1000 + clockToleranceMs;
      const caller = callerOf(payload, expiresAtMs);
      if (generation === this.generation) this.keep(digest, caller);
      return caller;
    } catch (error) {
      return new RefusedCaller(this.refusalOf(error));
    }
  }

  /** Those that were checked first go first. */
  private keep(digest: string, caller: KnownCaller): void {
    if (this.known.size >= MOST_KNOWN) this.known.delete(this.known.keys().next().value!);
    this.known.set(digest, caller);
  }

  private refusalOf(error: unknown): AssayError {
    const { code = "" } = error as { readonly code?: string };
    const why = WRONG_TOKENS[code];
    if (why !== undefined) return unauthenticated(`the token is not taken: ${why}`);
    if (/^ERR_(JWT|JWS)_/.test(code))
      return unauthenticated("the token is not taken: it is no token of the issuer's");
    this.onUnavailable(messageOf(error));
    const what = "the keys of whoever issues the tokens cannot be had, so that yours cannot be checked";
    return withoutStack(() => new AssayError(Reason.IDENTITY_UNAVAILABLE, what));
  }
}

/** By jose's codes. */
const WRONG_TOKENS: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: "it has expired",
  ERR_JWT_CLAIM_VALIDATION_FAILED:
    "its issuer, audience or times are not those that the server wants (--jwt-issuer, --jwt-audience)",
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "its signature is wrong",
  ERR_JWKS_NO_MATCHING_KEY: "the issuer has no such key",
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: "it names no key (kid), and the issuer has several",
  ERR_JOSE_ALG_NOT_ALLOWED: "it is signed by an algorithm that the server does not take (--jwt-algorithms)",
  ERR_JOSE_NOT_SUPPORTED: "it is signed in a way that is not supported",
};

function callerOf(payload: JWTPayload, expiresAtMs: number): KnownCaller {
  const { sub, assay_models, assay_admin, assay_metrics } = payload;
  const models = typeof assay_models === "string" ? assay_models.split(" ") : assay_models;
  const isAdmin = assay_admin === true;
  const id = typeof sub === "string" ? sub.replaceAll(/[^\x21-\x7e]/g, "_").slice(0, 64) : "";
  const grants = {
    models: Array.isArray(models) ? models.filter((one) => typeof one === "string" && one !== "") : [],
    isAdmin,
    readsMetrics: isAdmin || assay_metrics === true,
    rate: undefined,
  };
  return new KnownCaller(
    id || "token",
    grants,
    expiresAtMs,
    Math.min(expiresAtMs, Date.now() + MOST_KNOWN_MS),
  );
}

async function openKeySet(keys: TokenKeys): Promise<JWTVerifyGetKey> {
  const { createLocalJWKSet, createRemoteJWKSet, customFetch } = await import("jose");
  if ("set" in keys) return createLocalJWKSet(keys.set);
  return createRemoteJWKSet(new URL(keys.url), {
    timeoutDuration: FETCH_MS,
    cacheMaxAge: MOST_KNOWN_MS,
    [customFetch]: boundedFetch,
  });
}

/** An answer of at most a MiB, from where it was asked for. */
async function boundedFetch(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...options, redirect: "error" });
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > MOST_SET_BYTES) throw new Error(`the set of keys is larger than ${MOST_SET_BYTES} bytes`);
    parts.push(part);
  }
  return new Response(Buffer.concat(parts), { status: response.status, headers: response.headers });
}
