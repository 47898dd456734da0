/** What a caller's `traceparent` says of the trace that a call belongs to. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** The caller's span: 16 hexadecimal digits. */
  readonly parentId: string;
  readonly isSampled: boolean;
}

const FIELD = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;

/**
 * Reads a `traceparent` field; undefined where it is malformed, and nothing of it is to be used. Of versions that are still to come, the
 * part that is known is read. Source: W3C Trace Context, 3.2.
 */
export function readTraceParent(field: string | undefined): TraceParent | undefined {
  const found = field === undefined ? null : FIELD.exec(field);
  if (found === null) return undefined;
  const [, version, traceId, parentId, flags, more] = found;
  if (version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (ZEROS.test(traceId!) || ZEROS.test(parentId!)) return undefined;
  return { traceId: traceId!, parentId: parentId!, isSampled: (Number.parseInt(flags!, 16) & 1) === 1 };
}
