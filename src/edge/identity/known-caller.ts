import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError, withoutStack } from "../../errors.ts";
import type { Caller, CallerRate } from "../../registry/caller.ts";

/** What a caller may. */
export interface Grants {
  /** Names of models; `*` is all. */
  readonly models: readonly string[];
  readonly isAdmin: boolean;
  readonly readsMetrics: boolean;
  readonly rate: CallerRate | undefined;
}

const NEVER_MS = Number.POSITIVE_INFINITY;

/**
 * A caller whose key, token or certificate is known, by the clock of days until `expiresAtMs`, for a new call until `recheckAtMs`. What it
 * may changes while it calls: its streams are asked for each item.
 */
export class KnownCaller implements Caller {
  readonly id: string;
  isAdmin = false;
  readsMetrics = false;
  rate: CallerRate | undefined = undefined;
  private readonly expiresAtMs: number;
  private readonly recheckAtMs: number;
  private names: ReadonlySet<string> = new Set();
  private ended: AssayError | undefined = undefined;

  constructor(id: string, grants: Grants, expiresAtMs = NEVER_MS, recheckAtMs = expiresAtMs) {
    this.id = id;
    this.expiresAtMs = expiresAtMs;
    this.recheckAtMs = recheckAtMs;
    this.grant(grants);
  }

  /** Says what it may from now on. */
  grant({ models, isAdmin, readsMetrics, rate }: Grants): void {
    this.names = new Set(models);
    this.isAdmin = isAdmin;
    this.readsMetrics = readsMetrics;
    this.rate = rate;
  }

  /** It is known no more. */
  end(): void {
    this.ended = unauthenticated("the key or certificate has been taken out of the server's keys");
  }

  mayUse(modelName: string): boolean {
    return this.names.has("*") || this.names.has(modelName);
  }

  /** Whether a call may begin without another look at its key or token. */
  get isFresh(): boolean {
    if (this.ended !== undefined) return false;
    return this.recheckAtMs === NEVER_MS || Date.now() < this.recheckAtMs;
  }

  refusal(): AssayError | undefined {
    if (this.ended !== undefined) return this.ended;
    if (this.expiresAtMs === NEVER_MS || Date.now() < this.expiresAtMs) return undefined;
    return unauthenticated("the token has expired; send a new one");
  }
}

/** Whoever is not served, and why. */
export class RefusedCaller implements Caller {
  readonly id: string;
  readonly isAdmin = false;
  readonly readsMetrics = false;
  readonly rate = undefined;
  private readonly why: AssayError;

  constructor(why: AssayError, id = "") {
    this.id = id;
    this.why = why;
  }

  mayUse(): boolean {
    return false;
  }

  refusal(): AssayError {
    return this.why;
  }
}

/** An error for whoever did not say who they are in a way that is known; its message names no key. */
export function unauthenticated(why: string): AssayError {
  return withoutStack(() => new AssayError(Reason.UNAUTHENTICATED, why));
}
