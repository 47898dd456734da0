/** What a row is answered with, in each form. */
import { PredictResponseSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Components } from "./components.ts";
import { closed, jsonContent, list, object, reference, type Schema, TEXT, WHOLE } from "./schema-parts.ts";

const BINARY = { "application/octet-stream": { schema: { type: "string", format: "binary" } } };

/** `/predict`: scores and labels in the order of the rows. */
export function predictAnswer(components: Components): Schema {
  const schema = components.predict.message(PredictResponseSchema, false);
  return { "200": { description: "One score a row, in their order.", content: jsonContent(schema) } };
}

/** Open Inference: tensors, as JSON or behind it. */
export function inferAnswer({ schemas }: Components): Schema {
  schemas.InferAnswer ??= object(
    {
      id: { ...TEXT, description: "As in the request." },
      model_name: TEXT,
      model_version: TEXT,
      outputs: list(
        object(
          {
            name: TEXT,
            datatype: TEXT,
            shape: list(WHOLE),
            data: { type: "array", description: "Row-major; values that JSON has no number for are null." },
            parameters: { type: "object" },
          },
          ["name", "datatype", "shape"],
        ),
      ),
    },
    ["model_name", "model_version", "outputs"],
  );
  const content = { ...jsonContent(reference("schemas", "InferAnswer")), ...BINARY };
  const description =
    "One tensor an output. Where `binary_data` was asked for, JSON of the length in `Inference-Header-Content-Length`, and behind it the values.";
  return { "200": { description, content } };
}

/** KServe v1 and TensorFlow Serving. */
export function v1Answer({ schemas }: Components): Schema {
  schemas.V1Answer ??= {
    anyOf: [
      closed({ predictions: { description: "One a row: its score, else its label, else its outputs." } }, [
        "predictions",
      ]),
      closed({ outputs: { description: "The same, to a body with `inputs`." } }, ["outputs"]),
    ],
  };
  return { "200": { description: "Predictions.", content: jsonContent(reference("schemas", "V1Answer")) } };
}

/** MLflow. */
export function invocationAnswer({ schemas }: Components): Schema {
  schemas.InvocationAnswer ??= closed(
    { predictions: { description: "One a row: its score, else its label, else its outputs." } },
    ["predictions"],
  );
  const content = jsonContent(reference("schemas", "InvocationAnswer"));
  return { "200": { description: "Predictions.", content } };
}
