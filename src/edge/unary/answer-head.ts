import { type HeaderBlock, headerBlock } from "../../http2/stream.ts";
import { corsFields } from "../call/cors.ts";
import type { AnsweredCall } from "./unary-form.ts";

type Field = readonly [name: string, value: string];

/** The head of an answer: the protocol's fields, the call's id, and what a browser needs to read it. */
export function answerHead({ stream, edgeCall, corsOrigins }: AnsweredCall, fields: Field[]): HeaderBlock {
  fields.push(["x-request-id", edgeCall.id]);
  for (const field of corsFields(stream.headers, corsOrigins)) fields.push(field);
  return headerBlock(fields);
}
