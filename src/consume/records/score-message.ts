/** Outcomes to messages: scores with the row's key, headers, partition and time, and dead letters with the reason beside them. */
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { PredictResponseSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { MessageRefusal } from "../brokers/sifted-round.ts";
import type { InputRecord, OutputMessage } from "./input-record.ts";
import type { Outcome, RecordScores } from "./record-scoring.ts";
import { FRAME_BYTES } from "./record-value.ts";
import type { Refusal } from "./request-plan.ts";

/** How scores are written, and where. */
export interface MessageForm {
  readonly outputTopic: string;
  readonly deadLetterTopic: string;
  readonly format: "json" | "protobuf";
  /** In front of every score; 0: the row's own, where it has one. */
  readonly schemaId: number;
}

/** Longer messages would only repeat what the value holds. */
const MOST_MESSAGE_CHARACTERS = 1000;
const FIRST_MESSAGE_TYPE = Buffer.of(0);

/** The message for a record of `topic` and `partition`. */
export function outcomeMessage(
  record: InputRecord,
  outcome: Outcome,
  from: { readonly topic: string; readonly partition: number },
  form: MessageForm,
): OutputMessage {
  const { key, timestamp } = record;
  const { partition } = from;
  const headers = passedHeaders(record);
  if (outcome.kind === "refused") {
    addReason(headers, outcome.refusal, from, record.offset);
    return { topic: form.deadLetterTopic, partition, timestamp, key, value: record.value, headers };
  }
  const value = outcome.kind === "deleted" ? null : framed(outcome, form);
  return { topic: form.outputTopic, partition, timestamp, key, value, headers };
}

/** How many of a dead letter's last headers say why it is one. */
const REASON_HEADERS = 6;
const VALUE_BYTES = "assay-value-bytes";

/**
 * What is written for a record whose message the brokers refuse: for a score a dead letter, for that one without the value, and last
 * one that holds nothing of the record but where it is. Undefined where that was refused too.
 */
export function lesserMessage(
  record: InputRecord,
  refused: OutputMessage,
  refusal: MessageRefusal,
  from: { readonly topic: string; readonly partition: number },
  form: MessageForm,
): OutputMessage | undefined {
  const { name, topic, bytes } = refusal;
  const isTooLarge = name.endsWith("TOO_LARGE");
  if (refused.topic !== form.deadLetterTopic) {
    const what = isTooLarge
      ? `the score takes ${bytes} bytes, which the topic ${topic} does not: raise its max.message.bytes`
      : `the topic ${topic} does not take the score: ${name}`;
    const reason = isTooLarge ? "MESSAGE_TOO_LARGE" : "INVALID_REQUEST";
    return outcomeMessage(
      record,
      { kind: "refused", refusal: { reason, field: "", message: what } },
      from,
      form,
    );
  }
  const headers = [...refused.headers];
  const isWithoutValue = String(headers.at(-1)?.[0]) === VALUE_BYTES;
  if (!isWithoutValue) {
    const valueBytes = Buffer.from(String(record.value?.length ?? 0));
    return {
      ...refused,
      value: null,
      headers: new Map([...headers, [Buffer.from(VALUE_BYTES), valueBytes]]),
    };
  }
  const own = headers.slice(-REASON_HEADERS - 1);
  if (headers.length === own.length && refused.value !== null) return undefined;
  return {
    ...refused,
    // A compacted topic takes no record without a key, and another's clock may allow no old ones.
    key: Buffer.from(`${from.topic}-${from.partition}-${record.offset}`),
    timestamp: BigInt(Date.now()),
    value: Buffer.alloc(0),
    headers: new Map(own),
  };
}

/** Keys are octets, each its own: names that come twice stay two headers. */
function passedHeaders({ headers }: InputRecord): Map<Buffer, Buffer> {
  const passed = new Map<Buffer, Buffer>();
  for (const [name, content] of headers) passed.set(name ?? Buffer.alloc(0), content as Buffer);
  return passed;
}

function addReason(
  headers: Map<Buffer, Buffer>,
  { reason, field, message }: Refusal,
  { topic, partition }: { readonly topic: string; readonly partition: number },
  offset: bigint,
): void {
  const facts = {
    "assay-reason": reason,
    "assay-field": field,
    "assay-message": message.slice(0, MOST_MESSAGE_CHARACTERS),
    "assay-topic": topic,
    "assay-partition": String(partition),
    "assay-offset": String(offset),
  };
  for (const [name, text] of Object.entries(facts)) headers.set(Buffer.from(name), Buffer.from(text));
}

function framed(
  { response, frame }: Extract<Outcome, { kind: "scored" }>,
  { format, schemaId }: MessageForm,
): Buffer {
  const head = frameOf(frame, schemaId);
  if (format === "json") {
    const text = scoresJson(response);
    return head === undefined
      ? Buffer.from(text)
      : Buffer.concat([head.subarray(0, FRAME_BYTES), Buffer.from(text)]);
  }
  const bytes = toBinary(PredictResponseSchema, create(PredictResponseSchema, response));
  if (head === undefined) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const path = head.length > FRAME_BYTES ? [head] : [head, FIRST_MESSAGE_TYPE];
  return Buffer.concat([...path, bytes]);
}

function frameOf(frame: Buffer | undefined, schemaId: number): Buffer | undefined {
  if (schemaId === 0) return frame;
  const head = Buffer.alloc(FRAME_BYTES);
  head.writeUInt32BE(schemaId, 1);
  return head;
}

/** A PredictResponse in JSON with proto names. */
export function scoresJson(response: RecordScores): string {
  const { modelName, modelVersion, requestId, scores, labels, outputs } = response;
  if (outputs.length > 0 || !scores.every(Number.isFinite)) {
    return toJsonString(PredictResponseSchema, create(PredictResponseSchema, response), {
      useProtoFieldName: true,
    });
  }
  const id = requestId === "" ? "" : `,"request_id":${JSON.stringify(requestId)}`;
  const ofScores = scores.length === 0 ? "" : `,"scores":${JSON.stringify(scores)}`;
  const ofLabels = labels.length === 0 ? "" : `,"labels":${JSON.stringify(labels)}`;
  return `{"model_name":${JSON.stringify(modelName)},"model_version":"${modelVersion}"${id}${ofScores}${ofLabels}}`;
}
