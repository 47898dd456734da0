/**
 * One linear walk over protobuf octets before anything is decoded: what they would take, and whether their counts, their depth and
 * their memory stay within what a request may need. 8 million empty tensors are 16 MiB on the wire and gigabytes decoded.
 */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError, type Violation } from "../../errors.ts";
import { DELIMITED, FIXED32, FIXED64, MAX_DEPTH, VARINT } from "../../wire/wire-cursor.ts";
import type { WireField, WireForm, WireTable } from "../../wire/wire-table.ts";
import type { LoopSlices } from "../memory/loop-slices.ts";
import { memoryPerMessage, tooLargeDecoded } from "../memory/message-limit.ts";
import { RequestCursor } from "./request-cursor.ts";

/** What a message will take. */
export interface WireCost {
  /** About what it takes of V8's heap once it is decoded. */
  readonly heapBytes: number;
  /** Whether the decoded message holds views of the octets. */
  readonly keepsOctets: boolean;
}

/** Fields that the schema does not have, in one message: a newer client has a few. */
const MAX_UNKNOWN_FIELDS = 65_536;
/** Fields in one row, those of its entries and values counted too. */
const MAX_STRUCT_RECORDS = 131_072;
const MAX_FAULTS = 20;

const WIRE_TYPE: Readonly<Record<WireForm, number>> = {
  varint: VARINT,
  fixed64: FIXED64,
  fixed32: FIXED32,
  text: DELIMITED,
  bytes: DELIMITED,
  message: DELIMITED,
};
const WIRE_NAMES = ["a varint", "64 bits", "a length and octets", "a group", "the end of a group", "32 bits"];

/** Scans one message. Throws INVALID_REQUEST or MESSAGE_TOO_LARGE that names the field, what came and the limit. */
export function scanMessage(table: WireTable, bytes: Uint8Array, maxMessageBytes: number): WireCost {
  const scan = new WireScan(bytes, maxMessageBytes, table.typeName);
  scan.message(table, bytes.length, 0);
  return scan.result();
}

/** The same, giving the event loop back between the message's fields. */
export async function scanInSlices(
  table: WireTable,
  bytes: Uint8Array,
  maxMessageBytes: number,
  slices: LoopSlices,
): Promise<WireCost> {
  const scan = new WireScan(bytes, maxMessageBytes, table.typeName);
  while (!scan.fields(table, bytes.length)) await slices.pause();
  return scan.result();
}

/** Octets between two looks at the clock. */
const LOOK_OCTETS = 65_536;

interface OpenMessage {
  readonly table: WireTable;
  readonly end: number;
  readonly counts: number[];
  readonly depth: number;
}

class WireScan extends RequestCursor {
  private readonly maxMessageBytes: number;
  private readonly maxHeapBytes: number;
  private heapBytes = 0;
  private keepsOctets = false;
  private unknownFields = 0;
  private structRecords = 0;
  private faults: Violation[] | undefined = undefined;
  /** The messages that the walk is in, where it is made in slices: long ones only, short ones are walked over at once. */
  private open: OpenMessage[] | undefined = undefined;
  /** Where the walk is: a field's name and the index of its value, level by level. */
  private readonly names: string[] = [];
  private readonly indexes: number[] = [];

  constructor(bytes: Uint8Array, maxMessageBytes: number, typeName: string) {
    super(bytes, typeName);
    this.maxMessageBytes = maxMessageBytes;
    this.maxHeapBytes = memoryPerMessage(maxMessageBytes);
  }

  result(): WireCost {
    const { faults, heapBytes, keepsOctets } = this;
    if (faults !== undefined) {
      const [first] = faults;
      const rest = faults.length > 1 ? ` (and ${faults.length - 1} more)` : "";
      throw new AssayError(Reason.INVALID_REQUEST, `${first!.field}: ${first!.description}${rest}`, {
        violations: faults,
      });
    }
    return { heapBytes, keepsOctets };
  }

  /** Goes on over the fields of the outermost message; true at its end, false where it is time to give the loop back. */
  fields(table: WireTable, end: number): boolean {
    if (this.open === undefined) {
      this.open = [];
      this.enter(table, end, 0);
    }
    const { open } = this;
    const until = this.at + LOOK_OCTETS;
    for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
      if (this.at >= inner.end) {
        open.pop();
        this.checkCounts(inner.table, inner.counts, inner.depth);
      } else if (this.at >= until) return false;
      else this.field(inner.table, inner.end, inner.counts, inner.depth);
    }
    return true;
  }

  private enter(table: WireTable, end: number, depth: number): void {
    this.checkDepth(depth);
    this.heapBytes += table.emptyBytes;
    this.open!.push({ table, end, counts: table.zeroCounts.slice(), depth });
  }

  private checkDepth(depth: number): void {
    if (depth > MAX_DEPTH) this.fail(`nests deeper than ${MAX_DEPTH} messages`, "message-depth");
  }

  message(table: WireTable, end: number, depth: number): void {
    this.checkDepth(depth);
    const counts = table.zeroCounts.length === 0 ? table.zeroCounts : table.zeroCounts.slice();
    this.heapBytes += table.emptyBytes;
    while (this.at < end) this.field(table, end, counts, depth);
    this.checkCounts(table, counts, depth);
  }

  private field(table: WireTable, end: number, counts: number[], depth: number): void {
    const { fields } = table;
    const tag = this.tag(end);
    const number = tag >>> 3;
    const field = number < fields.length ? fields[number] : undefined;
    if (field === undefined) {
      this.unknown(tag & 7, number, end);
      return;
    }
    if (table.isStruct && ++this.structRecords > MAX_STRUCT_RECORDS) {
      const where = table.typeName.startsWith("google.") ? "fields stand in one row" : "keys and values came";
      throw this.tooMany(depth, `more than ${MAX_STRUCT_RECORDS} ${where}`);
    }
    const { countIndex } = field;
    const before = countIndex < 0 ? 0 : counts[countIndex]!;
    const values = this.value(field, tag & 7, end, before, depth);
    // What is beyond the limit is refused, and named, by its count.
    this.heapBytes +=
      Math.max(0, Math.min(values, field.repeated ? field.maxItems - before : 1)) * field.valueBytes;
    if (countIndex >= 0) counts[countIndex]! += values;
    if (this.heapBytes > this.maxHeapBytes) throw tooLargeDecoded(this.maxMessageBytes, this.heapBytes);
  }

  /** Walks over one record of a field; how many values it has. */
  private value(field: WireField, wireType: number, end: number, index: number, depth: number): number {
    if (wireType !== WIRE_TYPE[field.form]) {
      const packable = field.repeated && wireType === DELIMITED && field.child === undefined;
      if (packable) return this.packed(field, this.fieldEnd(end));
      this.fail(
        `has ${WIRE_NAMES[wireType] ?? `wire type ${wireType}`} for the field ${field.name}, which takes ${WIRE_NAMES[WIRE_TYPE[field.form]]}`,
      );
    }
    switch (field.form) {
      case "varint":
        this.skipVarint(end);
        return 1;
      case "fixed64":
        this.at = this.fixedEnd(8, end);
        return 1;
      case "fixed32":
        this.at = this.fixedEnd(4, end);
        return 1;
      case "message": {
        const valueEnd = this.fieldEnd(end);
        if (depth < 4) {
          this.names[depth] = field.name;
          this.indexes[depth] = field.repeated ? index : -1;
        }
        // Values beyond the limit are counted, not looked at.
        if (index >= field.maxItems) this.at = valueEnd;
        else {
          if (field.beginsRow) this.structRecords = 0;
          const isLong = this.open !== undefined && valueEnd - this.at > LOOK_OCTETS;
          if (isLong) this.enter(field.child!, valueEnd, depth + 1);
          else this.message(field.child!, valueEnd, depth + 1);
        }
        return 1;
      }
      default: {
        const valueEnd = this.fieldEnd(end);
        if (field.form === "text") this.heapBytes += valueEnd - this.at;
        else if (valueEnd > this.at) this.keepsOctets = true;
        this.at = valueEnd;
        return 1;
      }
    }
  }

  private packed({ form, octetBytes, valueBytes }: WireField, end: number): number {
    const { bytes } = this;
    const from = this.at;
    this.at = end;
    if (form !== "varint") {
      const size = form === "fixed64" ? 8 : 4;
      if ((end - from) % size !== 0) this.cutOff();
      return (end - from) / size;
    }
    let values = 0;
    for (let i = from; i < end; i++) if (bytes[i]! < 0x80) values++;
    if (end > from && bytes[end - 1]! >= 0x80) this.cutOff();
    this.heapBytes += Math.max(0, (end - from) * octetBytes - values * valueBytes);
    return values;
  }

  private unknown(wireType: number, number: number, end: number): void {
    if (++this.unknownFields > MAX_UNKNOWN_FIELDS) {
      throw this.tooMany(
        0,
        `more than ${MAX_UNKNOWN_FIELDS} fields came that the schema does not have, the last with the number ${number}`,
      );
    }
    this.skip(wireType, end);
  }

  private checkCounts(table: WireTable, counts: readonly number[], depth: number): void {
    if (counts.length === 0) return;
    for (const field of table.fields) {
      const count = field === undefined || field.countIndex < 0 ? 0 : counts[field.countIndex]!;
      if (field === undefined || count <= field.maxItems) continue;
      this.faults ??= [];
      if (this.faults.length >= MAX_FAULTS) return;
      this.faults.push({
        field: `${this.path(depth)}${field.name}`,
        description: `${count} came; at most ${field.statedItems} are taken in one request`,
        rule: "repeated.max_items",
      });
    }
  }

  /** `inputs[3].`: where a message at that depth stands. */
  private path(depth: number): string {
    let path = "";
    for (let level = 0; level < Math.min(depth, 4); level++) {
      const index = this.indexes[level]!;
      path += index < 0 ? `${this.names[level]}.` : `${this.names[level]}[${index}].`;
    }
    return path;
  }

  private tooMany(depth: number, what: string): AssayError {
    const field = this.path(depth).replace(/\.$/, "");
    const message = field === "" ? what : `${field}: ${what}`;
    const violation = { field, description: what, rule: "message.too_many_fields" };
    return new AssayError(Reason.INVALID_REQUEST, message, { violations: [violation] });
  }
}
