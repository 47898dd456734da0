import { hash } from "node:crypto";
import type { Caller } from "../../registry/caller.ts";
import type { KeyLine } from "./key-file.ts";
import { KnownCaller } from "./known-caller.ts";
import type { RateTable } from "./rate-table.ts";

/** Whom the lines of a file of keys let in, by the digests of their keys and by the names in their certificates. */
export class KeyRing {
  private readonly rates: RateTable;
  private callers: ReadonlyMap<string, KnownCaller> = new Map();

  constructor(rates: RateTable) {
    this.rates = rates;
  }

  get size(): number {
    return this.callers.size;
  }

  /** Takes other lines: who stands in both goes on with what the new ones say, who is gone is refused from now on, in open streams too. */
  replace(lines: readonly KeyLine[]): void {
    const next = new Map<string, KnownCaller>();
    for (const line of lines) {
      const mark = line.sha256 ?? certificateMark(line.certificate!);
      const grants = { ...line, rate: this.rates.of(line.id, line) };
      const before = this.callers.get(mark);
      if (before?.id === line.id) before.grant(grants);
      next.set(mark, before?.id === line.id ? before : new KnownCaller(line.id, grants));
    }
    for (const [mark, caller] of this.callers) if (next.get(mark) !== caller) caller.end();
    this.callers = next;
  }

  /**
   * Whoever has the key with this digest. How long the look-up takes says nothing of the keys: what is compared are digests, which nobody
   * can choose.
   */
  byDigest(digest: string): Caller | undefined {
    return this.callers.get(digest);
  }

  /** Whoever a certificate with one of these names is; the first that is known. */
  byNames(names: readonly string[]): Caller | undefined {
    for (const name of names) {
      const caller = this.callers.get(certificateMark(name));
      if (caller !== undefined) return caller;
    }
    return undefined;
  }
}

/** The digest of a key or a token, as a file of keys has it. */
export function digestOf(secret: string): string {
  return hash("sha256", secret, "hex");
}

function certificateMark(name: string): string {
  return `certificate ${name}`;
}
