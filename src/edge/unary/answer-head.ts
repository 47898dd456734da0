import { type HeaderBlock, headerBlock } from "../../http2/stream.ts";
import { corsFields } from "../call/cors.ts";
import { callFields } from "../call/response-fields.ts";
import type { AnsweredCall } from "./unary-form.ts";

/** The head of an answer: the protocol's fields, a constant block, the call's id, and what a browser needs to read it. */
export function answerHead(
  { stream, edgeCall, corsOrigins }: AnsweredCall,
  base: HeaderBlock,
  more: HeaderBlock["fields"] = NO_FIELDS,
): HeaderBlock {
  const own = callFields(edgeCall);
  for (const field of more) own.push(field);
  for (const field of corsFields(stream.headers, corsOrigins)) own.push(field);
  return headerBlock(own, base);
}

const NO_FIELDS: HeaderBlock["fields"] = [];

/** The constant part of a head, for each encoding that an answer may have; without one: "". */
export class HeadBases {
  private readonly contentType: string;
  private readonly encodingField: string;
  private readonly blocks = new Map<string, HeaderBlock>();

  constructor(contentType: string, encodingField: string) {
    this.contentType = contentType;
    this.encodingField = encodingField;
  }

  of(encoding: string): HeaderBlock {
    let block = this.blocks.get(encoding);
    if (block === undefined) {
      const type = ["content-type", this.contentType] as const;
      block = headerBlock(encoding === "" ? [type] : [type, [this.encodingField, encoding]]);
      this.blocks.set(encoding, block);
    }
    return block;
  }
}
