import type { Model } from "../../../gen/assay/v1/model_service_pb.ts";
import { type ColumnMapping, mapColumns } from "../../../src/job/columns/column-mapping.ts";
import type { MappingOptions } from "../../../src/job/columns/model-elements.ts";
import { createRowEncoder, type RowEncoderOptions } from "../../../src/job/encode/row-encoder.ts";
import type { TableColumn } from "../../../src/table/table-source.ts";

/** Maps columns to a model's inputs; by default by name, with numbers read from text, and none kept. */
export function mapped(
  model: Model,
  columns: readonly TableColumn[],
  options: Partial<MappingOptions> = {},
): ColumnMapping {
  return mapColumns(model, columns, {
    maps: new Map(),
    byPosition: false,
    keep: [],
    textNumbers: true,
    joinColumns: false,
    ...options,
  });
}

/** An encoder for `census` version 3, which takes every text as it is. */
export function encoderOf(mapping: ColumnMapping, options: Partial<RowEncoderOptions> = {}) {
  return createRowEncoder(mapping, {
    modelName: "census",
    modelVersion: "3",
    outputNames: [],
    nullTexts: new Set(),
    decimalComma: false,
    trimText: false,
    textForNull: undefined,
    ...options,
  });
}
