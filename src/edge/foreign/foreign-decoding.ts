/** The octets of one body in another suite's form to a request, step by step, so that whoever decodes gives the event loop back in between. */
import type { PredictRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { ServedModel } from "../../registry/served-model.ts";
import { decodeText, type JsonOptions } from "../decode/json-decoding.ts";
import type { MessageForm, SteppedDecoding } from "../decode/message-decoder.ts";
import { JsonFaults } from "../json/json-faults.ts";
import { type ExactJson, type ExactObject, JsonText } from "../json/json-text.ts";
import { unknownMember } from "../json/member-names.ts";
import { memoryPerMessage, tooLargeDecoded } from "../memory/message-limit.ts";
import type { RowPlaces } from "./body-place.ts";
import { RequestRows } from "./request-rows.ts";

/** What of a row is answered: its score, its label, or all outputs; undefined: the score where there is one, else the label, else the outputs. */
export type Predictions = "scores" | "labels" | "outputs" | undefined;

/** A body, read. */
export interface ForeignRequest {
  readonly model: ServedModel;
  readonly request: PredictRequest;
  readonly places: RowPlaces;
  readonly rowCount: number;
  /** The body brought columns instead of rows. */
  readonly isColumnar: boolean;
  readonly predictions: Predictions;
}

/** One body on its way. */
export class BodyReading {
  readonly faults = new JsonFaults();
  readonly rows: RequestRows;
  readonly ignoresUnknown: boolean;
  isColumnar = false;
  predictions: Predictions = undefined;

  constructor(model: ServedModel, bodyBytes: number, options: JsonOptions) {
    this.ignoresUnknown = options.ignoreUnknownFields;
    this.rows = new RequestRows(model, { faults: this.faults, maxValues: bodyBytes });
  }

  /** Adds the members of an object that have no meaning. */
  refuseUnknown(json: ExactObject, known: readonly string[], place: string): void {
    if (this.ignoresUnknown) return;
    for (const name of Object.keys(json)) {
      if (known.includes(name)) continue;
      if (this.faults.isFull) this.faults.addUnseen(1);
      else this.faults.add(place, unknownMember(name, known, place || "the body"), "json.unknown_member");
    }
  }
}

/** Reads a body that was parsed. */
export type JsonBody = (json: ExactJson, reading: BodyReading) => Generator<undefined, void>;
/** Reads a body that is text of another kind. */
export type TextBody = (text: string, reading: BodyReading) => Generator<undefined, void>;

/** The form of one call's body, and what was read of it. */
export class ForeignBody implements MessageForm {
  readonly desc = PredictRequestSchema;
  readonly isJson = true;
  private readonly model: ServedModel;
  private readonly json: JsonBody | undefined;
  private readonly text: TextBody | undefined;
  private reading: BodyReading | undefined = undefined;

  constructor(model: ServedModel, body: { readonly json?: JsonBody; readonly text?: TextBody }) {
    this.model = model;
    this.json = body.json;
    this.text = body.text;
  }

  begin(bytes: Uint8Array, options: JsonOptions): SteppedDecoding {
    this.reading = new BodyReading(this.model, bytes.length, options);
    return new ForeignDecoding(bytes, options, this.reading, { json: this.json, text: this.text });
  }

  /** What was read; only once its decoding has ended. */
  get request(): ForeignRequest {
    const { rows, isColumnar, predictions } = this.reading!;
    const { request, places, rowCount } = rows;
    if (predictions === "outputs") request.outputNames = ["*"];
    return { model: this.model, request, places, rowCount, isColumnar, predictions };
  }
}

class ForeignDecoding implements SteppedDecoding {
  private readonly options: JsonOptions;
  private readonly reading: BodyReading;
  private readonly textBytes: number;
  private readonly maxHeapBytes: number;
  private readonly text: JsonText | undefined;
  private readonly readJson: JsonBody | undefined;
  private steps: Generator<undefined, void> | undefined = undefined;

  constructor(
    bytes: Uint8Array,
    options: JsonOptions,
    reading: BodyReading,
    { json, text }: { readonly json: JsonBody | undefined; readonly text: TextBody | undefined },
  ) {
    const { maxMessageBytes } = options;
    this.options = options;
    this.reading = reading;
    this.textBytes = bytes.length;
    this.maxHeapBytes = memoryPerMessage(maxMessageBytes);
    this.readJson = json;
    const decoded = decodeText(bytes, text === undefined ? "JSON" : "CSV");
    this.text =
      text === undefined
        ? new JsonText(decoded, { maxMessageBytes, maxHeapBytes: this.maxHeapBytes })
        : undefined;
    this.steps = text?.(decoded, reading);
  }

  step(): boolean {
    if (this.steps === undefined) {
      const text = this.text!;
      if (!text.run()) return false;
      this.steps = this.readJson!(text.value, this.reading);
    }
    const { done } = this.steps.next();
    if (this.heapBytes > this.maxHeapBytes)
      throw tooLargeDecoded(this.options.maxMessageBytes, this.heapBytes);
    if (done) this.reading.faults.throwIfAny();
    return done === true;
  }

  get isRead(): boolean {
    return this.steps !== undefined;
  }

  get message(): PredictRequest {
    return this.reading.rows.request;
  }

  get json(): ExactJson | undefined {
    return this.text?.value;
  }

  get heapBytes(): number {
    return this.textBytes + (this.text?.heapBytes ?? 0) + this.reading.rows.heapBytes;
  }
}
