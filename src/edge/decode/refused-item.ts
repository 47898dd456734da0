import { create, type Message } from "@bufbuild/protobuf";
import { PredictStreamRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../../errors.ts";
import { refusedItems } from "../../service/stream/refused-items.ts";
import { plainTag } from "../../wire/plain-tag.ts";
import { integerOf } from "../json/json-number.ts";
import type { ExactObject } from "../json/json-text.ts";
import { RequestCursor } from "./request-cursor.ts";

const ITEM_ID = plainTag(PredictStreamRequestSchema, "itemId");

/**
 * The stand-in for a stream's item that is well-formed and was refused; undefined where its octets are no item at all, which ends the
 * stream. `json` is what was parsed, where that is the item's form.
 */
export function refusedItem(
  error: unknown,
  bytes: Uint8Array,
  json: ExactObject | undefined,
): Message | undefined {
  if (!(error instanceof AssayError) || error.violations.length === 0) return undefined;
  const itemId = json === undefined ? wireItemId(bytes) : integerOf(json.item_id ?? json.itemId ?? 0);
  const item = create(PredictStreamRequestSchema, { itemId: BigInt.asUintN(64, itemId ?? 0n) });
  refusedItems.set(item, error);
  return item;
}

/** The last item_id that the octets say, as protobuf reads it. */
function wireItemId(bytes: Uint8Array): bigint {
  const cursor = new RequestCursor(bytes, PredictStreamRequestSchema.typeName);
  let itemId = 0n;
  while (cursor.at < bytes.length) {
    const tag = cursor.tag(bytes.length);
    const from = cursor.at;
    cursor.skip(tag & 7, bytes.length);
    if (tag !== ITEM_ID) continue;
    itemId = 0n;
    for (let at = cursor.at - 1; at >= from; at--) itemId = (itemId << 7n) | BigInt(bytes[at]! & 0x7f);
  }
  return itemId;
}
