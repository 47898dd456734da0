/**
 * The body of `POST /predict`: a PredictRequest as JSON, and what people who write JSON by hand send beside it: a tensor's values in
 * Open Inference JSON's `data`, a matrix of features, the columns of one bare row. These are read by the model's signature.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { type PredictRequest, PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../../errors.ts";
import type { Caller } from "../../registry/caller.ts";
import type { ServedModel } from "../../registry/served-model.ts";
import { featureInput, noFeatureInput } from "../../service/check/feature-rows.ts";
import { rowLengths } from "../../service/check/model-inputs.ts";
import type { ScoringService } from "../../service/scoring.ts";
import { shownName } from "../../wording/field-paths.ts";
import type { MessageForm } from "../decode/message-decoder.ts";
import type { JsonReader, RowForms } from "../json/json-message.ts";
import type { ExactJson, ExactObject } from "../json/json-text.ts";
import { isMisspelt } from "../json/member-names.ts";
import { NestedTensor } from "../json/nested-tensor.ts";
import { type Advised, REQUEST_MEMBERS, REQUEST_SPELLINGS } from "../json/request-advice.ts";
import type { PathParams } from "../route-table.ts";
import { TENSOR_DATA } from "./tensor-data.ts";

const MATRIX: Advised = { members: ["features"], unknown: false };
const BARE_ROW: Advised = { members: [], unknown: true };
/** Names of a bare row that are looked at for mistakes. */
const LOOKED = 64;

/** The rows of a request whose body is the row itself: what is wrong with its columns is told without `rows[0]`. */
export class BareRow extends Array<JsonObject> {
  constructor(row: JsonObject) {
    super();
    this.push(row);
  }
}

/** The form of one call's body. */
export class PredictBody implements MessageForm, RowForms {
  readonly desc = PredictRequestSchema;
  readonly isJson = true;
  readonly aliases = TENSOR_DATA;
  readonly rowForms: RowForms = this;
  private readonly scoring: Pick<ScoringService, "resolve">;
  private readonly params: PathParams;
  private readonly caller: Caller;
  private readonly maxValues: number;

  /** `maxValues`: no body has more. */
  constructor(
    scoring: Pick<ScoringService, "resolve">,
    params: PathParams,
    caller: Caller,
    maxValues: number,
  ) {
    this.scoring = scoring;
    this.params = params;
    this.caller = caller;
    this.maxValues = maxValues;
  }

  /** Throws what `ScoringService.resolve` throws, where it has to know the model. */
  read(json: ExactObject, message: PredictRequest, reader: JsonReader): Advised | undefined {
    const { features } = json;
    if (Array.isArray(features) && Array.isArray(features[0])) {
      this.readMatrix(features, this.modelOf(json), message, reader);
      return MATRIX;
    }
    if (features !== undefined || json.rows !== undefined || json.inputs !== undefined) return undefined;
    return this.readBareRow(json, message);
  }

  private modelOf(json: ExactObject): ServedModel {
    const { model, version } = this.params;
    return this.scoring.resolve(
      model ?? textOf(json.model_name ?? json.modelName),
      version ?? textOf(json.model_version ?? json.modelVersion),
      this.caller,
    );
  }

  private readMatrix(
    rows: readonly ExactJson[],
    model: ServedModel,
    message: PredictRequest,
    reader: JsonReader,
  ): void {
    const { faults } = reader;
    const { signature } = model;
    const spec = featureInput(signature);
    if (spec === undefined) {
      faults.add("features", noFeatureInput(signature), "signature.features");
      return;
    }
    const tensor = new NestedTensor(spec, {
      faults,
      tail: rowLengths(spec, model),
      hasRows: true,
      maxValues: this.maxValues,
      place: (row) => `features[${row}]`,
    });
    const reading = tensor.read(rows);
    const step = (): boolean => {
      const { done, value } = reading.next();
      if (!done) return false;
      reader.heapBytes += tensor.heapBytes;
      message.inputs = [value];
      return true;
    };
    if (!step()) reader.later({ step });
  }

  /** Names that are misspelt members are none of a row, unless the model has such columns. */
  private readBareRow(json: ExactObject, message: PredictRequest): Advised | undefined {
    const names = Object.keys(json).filter((name) => !REQUEST_SPELLINGS.has(name));
    if (names.length === 0) return undefined;
    const { rowColumns } = this.modelOf(json);
    const isColumn = (name: string) => rowColumns.kind === "mapped" && rowColumns.mapping.byName.has(name);
    const others = names.slice(0, LOOKED).filter((name) => !isColumn(name));
    if (others.some((name) => isMisspelt(name, REQUEST_MEMBERS))) return undefined;
    // Without a prototype, `__proto__` is a column like any other.
    const row = Object.create(null) as Record<string, ExactJson>;
    for (const name of names) {
      const value = json[name] as ExactJson;
      row[name] = typeof value === "bigint" ? Number(value) : value;
    }
    message.rows = new BareRow(row as JsonObject);
    return BARE_ROW;
  }
}

function textOf(value: ExactJson | undefined): string {
  return typeof value === "string" ? value : "";
}

/**
 * The request of a body, for the path's model and version where it names them; undefined came where the body was empty. Throws
 * INVALID_REQUEST where the body names others than the path: one of the two was not meant.
 */
export function predictRequest(request: PredictRequest | undefined, params: PathParams): PredictRequest {
  if (request === undefined) throw refused("", "Field required: the body is empty", "missing");
  const { model, version } = params;
  if (model !== undefined) {
    if (request.modelName !== "" && request.modelName !== model) {
      const body = shownName(request.modelName);
      const what = `${body} came in the body, and ${shownName(model)} in the path: name one model, in one of them`;
      throw refused("model_name", what, "value_error");
    }
    request.modelName = model;
  }
  if (version !== undefined) {
    if (request.modelVersion !== "" && request.modelVersion !== version) {
      const body = shownName(request.modelVersion);
      const what = `${body} came in the body, and ${shownName(version)} in the path: name one version, in one of them`;
      throw refused("model_version", what, "value_error");
    }
    request.modelVersion = version;
  }
  return request;
}

function refused(field: string, description: string, rule: string): AssayError {
  return new AssayError(Reason.INVALID_REQUEST, `${field || "body"}: ${description}`, {
    violations: [{ field, description, rule }],
  });
}
