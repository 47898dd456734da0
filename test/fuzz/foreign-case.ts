/** Bodies in the forms of other suites as cases: KServe v1, MLflow, `/predict`, Open Inference REST. */
import { gzipSync } from "node:zlib";
import type { ForeignBodyCase } from "./body-text.ts";
import type { DecodeCase } from "./decode-case.ts";
import { BINARY, INFER, PREDICT } from "./infer-bodies.ts";
import { CSV, MLFLOW } from "./mlflow-bodies.ts";
import { rowsOf, V1, V1_COLUMNS } from "./v1-bodies.ts";

/** All of them. */
export const FOREIGN_BODIES: readonly ForeignBodyCase[] = [
  ...V1,
  ...rowsOf("v1", "/v1/models/{model}:predict", (rows) => `{"instances":${rows},"signature_name":"outputs"}`),
  ...V1_COLUMNS,
  ...MLFLOW,
  ...rowsOf("MLflow split", "/invocations/{model}", (rows) => `{"dataframe_split":{"data":${rows}}}`),
  ...CSV,
  ...PREDICT,
  ...INFER,
  ...BINARY,
];

/** The case of a body, as it is or as gzip. */
export function foreignCase(
  { name, path, headers = {}, make }: ForeignBodyCase,
  isZipped: boolean,
): DecodeCase {
  const body = Buffer.from(make());
  return {
    name: isZipped ? `${name}, gzip` : name,
    isHttp2: false,
    method: "POST",
    path,
    headers: {
      "content-type": "application/json",
      ...headers,
      ...(isZipped && { "content-encoding": "gzip" }),
    },
    body: isZipped ? gzipSync(body) : body,
  };
}
