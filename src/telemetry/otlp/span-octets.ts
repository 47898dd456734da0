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
const NS_A_SECOND = 1e9;
const WORDS = 2 ** 32;
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
/** Both ids with their tags and lengths, and behind them the parent's. */
const IDS_BYTES = 2 + TRACE_ID_BYTES + 2 + SPAN_ID_BYTES;
const PARENT_BYTES = 2 + SPAN_ID_BYTES;
const TRACE_AT = 2;
const SPAN_AT = TRACE_AT + TRACE_ID_BYTES + 2;
const PARENT_AT = IDS_BYTES + 2;

/** The ids of the span that is being written, and of one that it is linked with, as they stand in the octets. */
const ownIds = new Uint8Array(IDS_BYTES + PARENT_BYTES);
ownIds.set([TRACE_ID, TRACE_ID_BYTES]);
ownIds.set([SPAN_ID, SPAN_ID_BYTES], SPAN_AT - 2);
ownIds.set([PARENT_SPAN_ID, SPAN_ID_BYTES], PARENT_AT - 2);
const linkIds = ownIds.slice(0, IDS_BYTES);
/** Those with a parent behind a caller's `tracestate` are written in two pieces. */
const idsAlone = ownIds.subarray(0, IDS_BYTES);
const parentAlone = ownIds.subarray(IDS_BYTES);
/** What stands between attributes and links, and behind them in a span that did not fail and has no more links than it tells. */
const NOTHING_DROPPED = new Uint8Array([DROPPED_ATTRIBUTES, 0, DROPPED_EVENTS, 0]);
const UNFAILED_LOCAL = new Uint8Array([
  ...[DROPPED_LINKS, 0, STATUS, 2, STATUS_CODE, UNSET],
  ...[FLAGS, 1, LOCAL & 255, LOCAL >> 8, 0, 0],
]);
const LINK_END = new Uint8Array([LINK_DROPPED_ATTRIBUTES, 0, LINK_FLAGS, LOCAL & 255, LOCAL >> 8, 0, 0]);

/** Writes a span and those of its stages. */
export function writeSpans(writer: OctetWriter, span: SpanRecord): void {
  const { traceState, parentId, stages } = span;
  const isRoot = parentId === "";
  readDigits(span.traceId, ownIds, TRACE_AT, TRACE_ID_BYTES);
  readDigits(span.spanId, ownIds, SPAN_AT, SPAN_ID_BYTES);
  if (!isRoot) readDigits(parentId, ownIds, PARENT_AT, SPAN_ID_BYTES);
  const own = openSpan(writer, traceState, isRoot);
  const flags = !isRoot && span.isParentRemote ? REMOTE : LOCAL;
  writeTold(writer, span, KINDS[span.kind], span.attributes, flags);
  writer.close(own);
  if (stages.length === 0) return;
  ownIds.copyWithin(PARENT_AT, SPAN_AT, SPAN_AT + SPAN_ID_BYTES);
  for (const stage of stages) {
    // The last digit of the span's own id is 0.
    ownIds[SPAN_AT + SPAN_ID_BYTES - 1]!++;
    const from = openSpan(writer, traceState, false);
    const attributes = stage.error === "" ? NO_ATTRIBUTES : { "error.type": stage.error };
    writeTold(writer, stage, KINDS.internal, attributes, LOCAL);
    writer.close(from);
  }
}

/** Begins the span whose ids were read. */
function openSpan(writer: OctetWriter, traceState: string, isRoot: boolean): number {
  const from = writer.open(SPANS);
  if (traceState === "") writer.copy(isRoot ? idsAlone : ownIds);
  else {
    writer.copy(idsAlone);
    writer.text(TRACE_STATE, traceState);
    if (!isRoot) writer.copy(parentAlone);
  }
  return from;
}

/** Hexadecimal digits, two for each octet. */
function readDigits(digits: string, to: Uint8Array, at: number, count: number): void {
  for (let i = 0; i < count; i++)
    to[at + i] = (valueOfDigit(digits.charCodeAt(2 * i)) << 4) | valueOfDigit(digits.charCodeAt(2 * i + 1));
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
  writeTime(writer, START, told.startMs);
  writeTime(writer, END, Math.max(told.startMs, told.endMs));
  for (const key in attributes) writeAttribute(writer, key, attributes[key]!);
  writer.copy(NOTHING_DROPPED);
  for (const link of told.links) writeLink(writer, link);
  if (told.error === "" && told.droppedLinks === 0 && flags === LOCAL) {
    writer.copy(UNFAILED_LOCAL);
    return;
  }
  writer.varint(DROPPED_LINKS, told.droppedLinks);
  const status = writer.open(STATUS);
  if (told.error !== "") writer.text(STATUS_MESSAGE, told.error);
  writer.varint(STATUS_CODE, told.error === "" ? UNSET : FAILED);
  writer.close(status);
  writer.fixed32(FLAGS, flags);
}

/** What was written last of an attribute; its octets once that came twice. */
interface LastWritten {
  value: SpanAttributes[string];
  octets: Uint8Array | undefined;
}

/** By key. Most attributes say in one span what they said in the one before. */
const lastWritten = new Map<string, LastWritten>();
const MOST_KEYS = 64;
const MOST_KEPT_BYTES = 256;

function writeAttribute(writer: OctetWriter, key: string, value: SpanAttributes[string]): void {
  const last = lastWritten.get(key);
  const isAgain = last?.value === value;
  if (isAgain && last.octets !== undefined) {
    writer.copy(last.octets);
    return;
  }
  const at = writer.length;
  const from = writer.open(ATTRIBUTES);
  writer.text(KEY, key);
  const valueFrom = writer.open(VALUE);
  writer.value(value);
  writer.close(valueFrom);
  writer.close(from);
  if (isAgain) {
    if (writer.length - at <= MOST_KEPT_BYTES)
      last.octets = Uint8Array.prototype.slice.call(writer.written(), at);
  } else if (last !== undefined) {
    last.value = value;
    last.octets = undefined;
  } else if (lastWritten.size < MOST_KEYS) lastWritten.set(key, { value, octets: undefined });
}

/** The time that was written last, as words of its nanoseconds: a stage begins where the one before it ended. */
let timeMs = Number.NaN;
let lowWord = 0;
let highWord = 0;

/** A time as nanoseconds of 64 bits, which a double has no room for. */
function writeTime(writer: OctetWriter, tag: number, ms: number): void {
  if (ms !== timeMs) {
    const [seconds, nanoseconds] = hrTime(ms);
    // Sixteen bits of the seconds at a time, until the year 2106: each product is exact, and its low word what the operators for bits take.
    const low = (seconds & 65535) * NS_A_SECOND + nanoseconds;
    const high = (seconds >>> 16) * NS_A_SECOND;
    const lower = (high & 65535) * 65536 + low;
    timeMs = ms;
    lowWord = lower | 0;
    highWord = Math.floor(high / 65536) + Math.floor(lower / WORDS);
  }
  writer.fixed64(tag, lowWord, highWord);
}

function writeLink(writer: OctetWriter, { traceId, spanId, traceState }: SpanPlace): void {
  readDigits(traceId, linkIds, TRACE_AT, TRACE_ID_BYTES);
  readDigits(spanId, linkIds, SPAN_AT, SPAN_ID_BYTES);
  const from = writer.open(LINKS);
  writer.copy(linkIds);
  if (traceState !== "") writer.text(TRACE_STATE, traceState);
  writer.copy(LINK_END);
  writer.close(from);
}
