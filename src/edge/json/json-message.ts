/**
 * JSON values to messages, by their descriptors, with every fault at once and none of it at length: unknown members with the nearest
 * name, values of another type with what is expected. Long lists are left for `finish`, which gives the event loop back.
 */
import { create, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import type { PredictRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, type TensorContents, TensorContentsSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { emptyMessage } from "../../wire/empty-messages.ts";
import { hardMaxItems, statedMaxItems, wireTable } from "../../wire/wire-table.ts";
import { shownName } from "../../wording/field-paths.ts";
import { type JsonFaults, shownValue } from "./json-faults.ts";
import {
  LongItems,
  type LongList,
  LongTexts,
  LongValues,
  PIECE_VALUES,
  type TextReadings,
} from "./json-lists.ts";
import { type ScalarReading, scalarReading, textOfBase64 } from "./json-scalar.ts";
import type { ExactJson, ExactObject } from "./json-text.ts";
import { unknownMember } from "./member-names.ts";
import { isObject } from "./model-element.ts";
import { type Advised, adviceOnBody, adviseOnRequest } from "./request-advice.ts";

/** Options of reading a message. */
export interface JsonReading {
  readonly faults: JsonFaults;
  readonly ignoreUnknownFields: boolean;
  /** Whether numbers may be bigints: a row holds them as numbers, like all that are beyond 2^53 there. */
  readonly hasBigints: boolean;
  /** Members that stand for a field in another form: reads them into the message, which has its other fields then. */
  readonly aliases?: Aliases;
  /** Forms of a request's rows that the schema does not have. */
  readonly rowForms?: RowForms;
}

/** Forms of a PredictRequest's rows beside the schema's. */
export interface RowForms {
  /** Reads the rows of a request that has such a form, and says which members need no further look; undefined where it has none. */
  read(json: ExactObject, message: PredictRequest, reader: JsonReader): Advised | undefined;
}

/** Members beside the schema's, by message type. */
export interface Aliases {
  readonly [typeName: string]:
    | {
        readonly member: string;
        read(value: ExactJson, message: Message, path: string, reader: JsonReader): void;
      }
    | undefined;
}

interface Member {
  readonly field: DescField;
  readonly name: string;
  readonly scalar: ScalarReading | undefined;
  readonly child: DescMessage | undefined;
  readonly isStruct: boolean;
  readonly maxItems: number;
  readonly valueBytes: number;
}

type Fields = Record<string, unknown>;

/** Objects of a list that are read at once. */
const PIECE_OBJECTS = 256;
/** What a text of a tensor takes: as a string, and where it stands. */
const PACKED_TEXT_BYTES = 48;
/** What an entry of a map takes beside its message. */
const MAP_ENTRY_BYTES = 64;
const STRUCT = "google.protobuf.Struct";
const REQUEST = "assay.v1.PredictRequest";
const BYTES_CONTENTS = TensorContentsSchema.field.bytesContents;

const tables = new WeakMap<DescMessage, ReadonlyMap<string, Member>>();

/** Reads one message; `finish` until it says true before the message is used. */
export class JsonReader {
  readonly faults: JsonFaults;
  /** About what lists of objects take beside their JSON: texts as octets, long integers. */
  heapBytes = 0;
  private readonly reading: JsonReading;
  private readonly longLists: LongList[] = [];

  constructor(reading: JsonReading) {
    this.reading = reading;
    this.faults = reading.faults;
  }

  /** Reads the message that a JSON object is; an empty one where it is none, with a fault. */
  message(desc: DescMessage, json: ExactJson, path: string): Message {
    const isRequest = desc.typeName === REQUEST;
    const message = emptyMessage(desc);
    if (!isObject(json)) {
      const what = isRequest ? adviceOnBody(json) : `${shownValue(json)} came; an object is expected`;
      this.faults.add(path, what, "json.object");
      return message;
    }
    const form = this.reading.aliases === undefined ? "contents" : "data";
    const advised = isRequest
      ? (this.reading.rowForms?.read(json, message as PredictRequest, this) ??
        adviseOnRequest(json, path, form, this.faults))
      : undefined;
    const members = memberTable(desc);
    const alias = this.reading.aliases?.[desc.typeName];
    let seen: Set<DescField> | undefined;
    for (const name of Object.keys(json)) {
      const member = members.get(name);
      if (member === undefined) {
        if (name !== alias?.member && advised?.unknown !== true)
          this.unknown(desc, name, path, alias?.member);
        continue;
      }
      const place = path === "" ? member.name : `${path}.${member.name}`;
      if (advised?.members.includes(member.name)) continue;
      // Only two spellings can name a field twice.
      seen ??= new Set();
      if (seen.has(member.field)) this.faults.add(place, "came twice, in two spellings", "json.duplicate");
      seen.add(member.field);
      this.member(member, json[name]!, message as unknown as Fields, place);
    }
    if (alias !== undefined && Object.hasOwn(json, alias.member)) {
      alias.read(json[alias.member]!, message, path, this);
    }
    return message;
  }

  /** Reads values into a list; a long one is left for `finish`. */
  values(list: readonly ExactJson[], target: unknown[], reading: ScalarReading, path: string): void {
    if (list.length > PIECE_VALUES) {
      this.later(new LongValues(list, target, reading, path, this));
      return;
    }
    for (let i = 0; i < list.length; i++) {
      const value = reading.read(list[i]!);
      if (value === undefined) this.wrongElement(list[i]!, reading, path, i);
      else target.push(value);
    }
  }

  /**
   * Reads the texts of a tensor into its contents, which are put into `tensor`; many are read as strings at once. `octetBytes`: what one
   * takes as octets.
   */
  texts(
    list: readonly ExactJson[],
    readings: TextReadings,
    octetBytes: number,
    path: string,
    tensor: Pick<Tensor, "contents" | "shape">,
  ): void {
    if (list.length <= PIECE_VALUES) {
      const contents = create(TensorContentsSchema);
      this.heapBytes += list.length * octetBytes;
      tensor.contents = contents;
      this.values(list, contents.bytesContents, readings.octets, path);
      return;
    }
    this.heapBytes += list.length * PACKED_TEXT_BYTES;
    const shape = (): readonly bigint[] => tensor.shape;
    const take = (contents: TensorContents): void => {
      tensor.contents = contents;
    };
    this.later(new LongTexts(list, readings, path, this, shape, take));
  }

  /** Leaves work for `finish`. */
  later(work: LongList): void {
    this.longLists.push(work);
  }

  /** Reads a piece of the long lists; true once all are read. */
  finish(): boolean {
    const last = this.longLists.length - 1;
    if (last < 0) return true;
    // What it leaves for later itself stands behind it.
    if (this.longLists[last]!.step()) this.longLists.splice(last, 1);
    return this.longLists.length === 0;
  }

  /** Says of an element that it is none of its list's type. */
  wrongElement(value: ExactJson, { expected, rule }: ScalarReading, path: string, index: number): void {
    if (this.faults.isFull) this.faults.addUnseen(1);
    else this.faults.add(`${path}[${index}]`, `${shownValue(value)} came; ${expected} is expected`, rule);
  }

  private unknown(desc: DescMessage, name: string, path: string, alias: string | undefined): void {
    if (this.reading.ignoreUnknownFields) return;
    if (this.faults.isFull) {
      this.faults.addUnseen(1);
      return;
    }
    const names = desc.fields.map((field) => field.name);
    if (alias !== undefined) names.push(alias);
    const where = path === "" ? "the request" : path;
    this.faults.add(path, unknownMember(name, names, where), "json.unknown_member");
  }

  private member(member: Member, json: ExactJson, fields: Fields, path: string): void {
    // Null is the field's default, as everywhere in protobuf's JSON.
    if (json === null) return;
    const { field, scalar, child } = member;
    if (field.fieldKind === "list") this.list(member, json, fields, path);
    else if (field.fieldKind === "map") this.map(member, json, fields[field.localName] as Fields, path);
    else if (child === TensorContentsSchema && this.longTexts(json, fields, path)) return;
    else {
      const value = child === undefined ? this.scalar(json, scalar!, path) : this.child(member, json, path);
      if (field.oneof === undefined) fields[field.localName] = value;
      else fields[field.oneof.localName] = { case: field.localName, value };
    }
  }

  /** Whether `contents` are nothing but so many texts that they are read as strings. */
  private longTexts(json: ExactJson, fields: Fields, path: string): boolean {
    if (!isObject(json)) return false;
    const list = json[BYTES_CONTENTS.name] ?? json[BYTES_CONTENTS.jsonName];
    if (!Array.isArray(list) || list.length <= PIECE_VALUES || Object.keys(json).length > 1) return false;
    const place = `${path}.${BYTES_CONTENTS.name}`;
    const { valueBytes } = memberTable(TensorContentsSchema).get(BYTES_CONTENTS.name)!;
    this.texts(
      list,
      { text: textOfBase64, octets: scalarReading(BYTES_CONTENTS) },
      valueBytes,
      place,
      fields as unknown as Tensor,
    );
    return true;
  }

  private scalar(json: ExactJson, reading: ScalarReading, path: string): unknown {
    const value = reading.read(json);
    if (value !== undefined) return value;
    this.faults.add(path, `${shownValue(json)} came; ${reading.expected} is expected`, reading.rule);
    return undefined;
  }

  private child({ child, isStruct }: Member, json: ExactJson, path: string): unknown {
    if (!isStruct) return this.message(child!, json, path);
    if (!isObject(json)) {
      this.faults.add(path, `${shownValue(json)} came; an object is expected`, "json.object");
    } else if (this.reading.hasBigints) roundBigints(json);
    return json;
  }

  /** Keys are texts and values messages, as in all maps of requests. */
  private map(member: Member, json: ExactJson, target: Fields, path: string): void {
    const { child } = member;
    if (!isObject(json) || child === undefined) {
      this.faults.add(path, `${shownValue(json)} came; an object is expected`, "json.object");
      return;
    }
    const keys = Object.keys(json);
    if (keys.length > member.maxItems) {
      this.tooMany(member, keys.length, path);
      return;
    }
    this.heapBytes += keys.length * MAP_ENTRY_BYTES;
    for (const key of keys) {
      // As an own member it would be none.
      if (key === "__proto__") continue;
      target[key] = this.message(child, json[key]!, `${path}[${shownName(key)}]`);
    }
  }

  private list(member: Member, json: ExactJson, fields: Fields, path: string): void {
    if (!Array.isArray(json)) {
      this.faults.add(path, `${shownValue(json)} came; a list is expected`, "json.list");
      return;
    }
    if (json.length > member.maxItems) {
      this.tooMany(member, json.length, path);
      return;
    }
    this.heapBytes += json.length * member.valueBytes;
    const { localName } = member.field;
    const target = fields[localName] as unknown[];
    if (member.child === undefined) {
      if (target.length === 0 && readAsTheyAre(json, member.scalar!)) fields[localName] = json;
      else this.values(json, target, member.scalar!, path);
      return;
    }
    if (json.length <= PIECE_OBJECTS) {
      for (let i = 0; i < json.length; i++) this.item(member, json, target, path, i);
      return;
    }
    const read = (index: number): void => this.item(member, json, target, path, index);
    this.later(new LongItems(json.length, PIECE_OBJECTS, read));
  }

  private tooMany({ field }: Member, count: number, path: string): void {
    const description = `${count} came; at most ${statedMaxItems(field)} are taken in one request`;
    this.faults.add(path, description, "repeated.max_items");
  }

  private item(
    member: Member,
    list: readonly ExactJson[],
    target: unknown[],
    path: string,
    index: number,
  ): void {
    const item = list[index]!;
    if (this.faults.isFull && !isObject(item)) this.faults.addUnseen(1);
    else target.push(this.child(member, item, `${path}[${index}]`));
  }
}

/** Whether a short list needs no copy, which would be the larger for having grown. */
function readAsTheyAre(list: readonly ExactJson[], reading: ScalarReading): boolean {
  if (list.length > PIECE_VALUES) return false;
  for (let i = 0; i < list.length; i++) if (reading.read(list[i]!) !== list[i]) return false;
  return true;
}

/** Makes every bigint in a row the number next to it; the depth is bounded. */
function roundBigints(value: ExactObject | ExactJson[]): void {
  const fields = value as Record<string, ExactJson>;
  for (const key of Object.keys(value)) {
    const inner = fields[key]!;
    if (typeof inner === "bigint") fields[key] = Number(inner);
    else if (typeof inner === "object" && inner !== null) roundBigints(inner);
  }
}

/** The members of a message by both their spellings. */
function memberTable(desc: DescMessage): ReadonlyMap<string, Member> {
  const known = tables.get(desc);
  if (known !== undefined) return known;
  const table = new Map<string, Member>();
  tables.set(desc, table);
  const { fields } = wireTable(desc);
  for (const field of desc.fields) {
    const child = field.message;
    const member: Member = {
      field,
      name: field.name,
      child,
      isStruct: child?.typeName === STRUCT,
      scalar: child === undefined && field.fieldKind !== "map" ? scalarReading(field) : undefined,
      maxItems: hardMaxItems(field),
      valueBytes: fields[field.number]!.valueBytes,
    };
    table.set(field.name, member).set(field.jsonName, member);
  }
  return table;
}
