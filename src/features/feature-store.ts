/**
 * Feature sources: rows come in with keys, and go out with the columns that they left out.
 * Promises:
 * 1. What a row sends itself is never overwritten; a row that has all columns of a source is never looked up.
 * 2. Every value of a row is one that the store held under exactly that row's key, no older than `max_age_ms`; or what the
 *    configuration declares for what is not there; or the row is refused with the field's path. Nothing else is ever scored.
 * 3. All look-ups that wait at the same time are one round trip, whoever's they are; what was fetched is used again within
 *    `cache_ms`, in memory bounded in rows and bytes.
 * 4. A look-up costs at most `timeout_ms`, and never the call's deadline; a store that is down is told by the source's name.
 * 5. Rows of other models, and requests that bring all columns, wait for no store: a model without sources has no code here.
 * 6. A store that comes back is used again without a restart; what was waiting is refused or defaulted, never scored from a guess.
 * 7. Values, keys and passwords stand in no log line and in no message.
 * Libraries of stores are loaded with the first source that needs them.
 */
import type { StoredValue } from "../model/features/stored-value.ts";

/** The texts of a row's key, in the order of the source's keys. */
export type KeyTexts = readonly string[];

/** What a store has under a key, in the order of the fields asked for; undefined: nothing; an Error: the store refused this key alone. */
export type StoredRow = readonly StoredValue[] | undefined | Error;

/** Where values lie; whoever opened it closes it. */
export interface FeatureStore {
  /** Resolves once it can be asked, or with what its configuration has wrong: an AssayError. A store that is down is no mistake. */
  open(): Promise<void>;
  /**
   * One round trip for all keys. Rejects where the store cannot be asked or does not answer; it may take any time, so whoever asks
   * waits only as long as they want. A row's place is its key's.
   */
  lookUp(keys: readonly KeyTexts[]): Promise<readonly StoredRow[]>;
  close(): void;
}

/** A key as one text, by which no two keys are the same. */
export function keyId(texts: KeyTexts): string {
  if (texts.length === 1) return texts[0]!;
  return texts.map((text) => `${text.length}:${text}`).join("");
}
