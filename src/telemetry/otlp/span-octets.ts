/** Spans in the octets of OTLP, as OpenTelemetry's own exporter writes them, octet for octet. Source: opentelemetry/proto/trace/v1/trace.proto. */
import type { SpanAttributes, SpanPlace, SpanRecord, StageRecord } from "../traces/span-record.ts";
import type { OctetWriter } from "./octet-writer.ts";
import { hrTime } from "./sent-span.ts";

/** Tags of `Span`, of `ScopeSpans` where spans are, and of what they hold. */
const SPANS = 0x12;
const TRACE_ID = 0x0a;
const SPAN_ID = 0x12;
const TRACE_STATE = 0x1a;
const PARENT_SPAN_ID = 0x22;
const NAME = 0x2a;
const KIND = 0x30;
const START = 0x39;
const END = 0x41;
const ATTRIBUTES = 0x4a;
const DROPPED_ATTRIBUTES = 0x50;
const DROPPED_EVENTS = 0x60;
const LINKS = 0x6a;
const DROPPED_LINKS = 0x70;
const STATUS = 0x7a;
const FLAGS = 0x85;
const LINK_DROPPED_ATTRIBUTES = 0x28;
const LINK_FLAGS = 0x35;
const STATUS_MESSAGE = 0x12;
const STATUS_CODE = 0x18;
const KEY = 0x0a;
const VALUE = 0x12;

const KINDS = { internal: 1, server: 2 } as const;
const UNSET = 0;
const FAILED = 2;
/** Sampled, and it is known whether the parent is in another process. */
const LOCAL = 0x101;
const REMOTE = 0x301;
const NO_ATTRIBUTES: SpanAttributes = {};

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
/** The ids of the span that is being written, and of one that it is linked with. */
const traceBytes = new Uint8Array(TRACE_ID_BYTES);
const spanBytes = new Uint8Array(SPAN_ID_BYTES);
const parentBytes = new Uint8Array(SPAN_ID_BYTES);
const linkTraceBytes = new Uint8Array(TRACE_ID_BYTES);
const linkSpanBytes = new Uint8Array(SPAN_ID_BYTES);

/** Writes a span and those of its stages. */
export function writeSpans(writer: OctetWriter, span: SpanRecord): void {
  const { traceState, parentId, stages } = span;
  const isRoot = parentId === "";
  readDigits(span.traceId, traceBytes);
  readDigits(span.spanId, spanBytes);
  if (!isRoot) readDigits(parentId, parentBytes);
  const own = openSpan(writer, traceState, isRoot);
  const flags = !isRoot && span.isParentRemote ? REMOTE : LOCAL;
  writeTold(writer, span, KINDS[span.kind], span.attributes, flags);
  writer.close(own);
  if (stages.length === 0) return;
  parentBytes.set(spanBytes);
  for (const stage of stages) {
    // The last digit of the span's own id is 0.
    spanBytes[SPAN_ID_BYTES - 1]!++;
    const from = openSpan(writer, traceState, false);
    const attributes = stage.error === "" ? NO_ATTRIBUTES : { "error.type": stage.error };
    writeTold(writer, stage, KINDS.internal, attributes, LOCAL);
    writer.close(from);
  }
}

/** Begins the span whose ids were read. */
function openSpan(writer: OctetWriter, traceState: string, isRoot: boolean): number {
  const from = writer.open(SPANS);
  writer.bytes(TRACE_ID, traceBytes);
  writer.bytes(SPAN_ID, spanBytes);
  if (traceState !== "") writer.text(TRACE_STATE, traceState);
  if (!isRoot) writer.bytes(PARENT_SPAN_ID, parentBytes);
  return from;
}

/** Hexadecimal digits, two for each octet. */
function readDigits(digits: string, to: Uint8Array): void {
  for (let i = 0; i < to.length; i++)
    to[i] = (valueOfDigit(digits.charCodeAt(2 * i)) << 4) | valueOfDigit(digits.charCodeAt(2 * i + 1));
}

function valueOfDigit(code: number): number {
  return code <= 0x39 ? code - 0x30 : code - 0x57;
}

/** What spans and stages tell alike. */
function writeTold(
  writer: OctetWriter,
  told: SpanRecord | StageRecord,
  kind: number,
  attributes: SpanAttributes,
  flags: number,
): void {
  writer.text(NAME, told.name);
  writer.varint(KIND, kind);
  const [startSeconds, startNs] = hrTime(told.startMs);
  writer.time(START, startSeconds, startNs);
  const [endSeconds, endNs] = hrTime(Math.max(told.startMs, told.endMs));
  writer.time(END, endSeconds, endNs);
  for (const key in attributes) writeAttribute(writer, key, attributes[key]!);
  writer.varint(DROPPED_ATTRIBUTES, 0);
  writer.varint(DROPPED_EVENTS, 0);
  for (const link of told.links) writeLink(writer, link);
  writer.varint(DROPPED_LINKS, told.droppedLinks);
  const status = writer.open(STATUS);
  if (told.error !== "") writer.text(STATUS_MESSAGE, told.error);
  writer.varint(STATUS_CODE, told.error === "" ? UNSET : FAILED);
  writer.close(status);
  writer.fixed32(FLAGS, flags);
}

function writeAttribute(writer: OctetWriter, key: string, value: SpanAttributes[string]): void {
  const from = writer.open(ATTRIBUTES);
  writer.text(KEY, key);
  const valueFrom = writer.open(VALUE);
  writer.value(value);
  writer.close(valueFrom);
  writer.close(from);
}

function writeLink(writer: OctetWriter, { traceId, spanId, traceState }: SpanPlace): void {
  readDigits(traceId, linkTraceBytes);
  readDigits(spanId, linkSpanBytes);
  const from = writer.open(LINKS);
  writer.bytes(TRACE_ID, linkTraceBytes);
  writer.bytes(SPAN_ID, linkSpanBytes);
  if (traceState !== "") writer.text(TRACE_STATE, traceState);
  writer.varint(LINK_DROPPED_ATTRIBUTES, 0);
  writer.fixed32(LINK_FLAGS, LOCAL);
  writer.close(from);
}
