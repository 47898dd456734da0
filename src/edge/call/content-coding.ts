import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { MessageCompression } from "./compression.ts";

/** What a field says that is absent, and what it says that no coding was applied. */
export const IDENTITY = "identity";

const OTHER_NAMES: Readonly<Record<string, string>> = { "x-gzip": "gzip", "": IDENTITY };

/** A content-coding as its own name: it may be spelt in either case, and as `x-gzip` (RFC 9110, 8.4.1); a list's `identity` says nothing. */
export function codingName(field: string | undefined): string {
  if (field === undefined || field === IDENTITY) return IDENTITY;
  const names = field.split(",").map((one) => {
    const name = one.trim().toLowerCase();
    return OTHER_NAMES[name] ?? name;
  });
  return names.filter((name) => name !== IDENTITY).join(", ") || IDENTITY;
}

/** The first of `codings` that an Accept-Encoding field takes (RFC 9110, 12.5.3); undefined where it takes none, or is absent. */
export function acceptedCoding(
  field: string | undefined,
  codings: readonly MessageCompression[],
): MessageCompression | undefined {
  if (field === undefined || field === IDENTITY) return undefined;
  const taken = new Map<string, boolean>();
  for (const one of field.split(",")) {
    const [name = "", ...parameters] = one.split(";").map((part) => part.trim().toLowerCase());
    taken.set(OTHER_NAMES[name] ?? name, !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)));
  }
  return codings.find(({ name }) => taken.get(name) ?? taken.get("*"));
}

/** A body in a coding that the server does not take: 415, with those that it takes (RFC 9110, 15.5.16). */
export class UnknownCoding extends AssayError {
  static readonly httpStatus = 415;
  /** For `accept-encoding`. */
  readonly taken: string;

  constructor(field: string, compressions: readonly MessageCompression[]) {
    const taken = compressions.map(({ name }) => name).join(", ");
    const shown = JSON.stringify(field.slice(0, 100));
    super(
      Reason.UNIMPLEMENTED,
      `content-encoding ${shown} came; the server takes one of ${taken}, or none: send the body in one of these`,
    );
    this.taken = taken;
  }
}
