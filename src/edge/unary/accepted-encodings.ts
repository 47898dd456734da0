import { compressionNegotiate } from "@connectrpc/connect/protocol";
import type { MessageCompression } from "../call/compression.ts";

const MOST_KEPT = 64;

/** What answers are compressed with, by what a caller says that it takes: clients say the same thing again and again. */
export class AcceptedEncodings {
  private readonly available: readonly MessageCompression[];
  private readonly known = new Map<string, MessageCompression | undefined>();

  constructor(available: readonly MessageCompression[]) {
    this.available = available;
  }

  /** By the value of the field, as Connect's handlers choose; undefined for none. */
  of(value: string | undefined): MessageCompression | undefined {
    if (value === undefined) return undefined;
    const found = this.known.get(value);
    if (found !== undefined || this.known.has(value)) return found;
    const { response } = compressionNegotiate([...this.available], null, value, "");
    const chosen = response === null ? undefined : this.available.find(({ name }) => name === response.name);
    if (this.known.size === MOST_KEPT) this.known.clear();
    this.known.set(value, chosen);
    return chosen;
  }
}
