import { expect, test } from "vitest";
import { fileServer } from "../../support/servers/tested-servers.ts";

const server = await fileServer("models");

async function get(path: string) {
  const response = await fetch(`${server.url}${path}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function errorOf(path: string, body: unknown): Promise<string> {
  const response = await fetch(`${server.url}${path}`, { method: "POST", body: JSON.stringify(body) });
  const { error, message } = (await response.json()) as { error?: string; message?: string };
  return error ?? message ?? "";
}

test.each(["", "/versions/1"])(
  "metadata of a model%s is told as TensorFlow Serving does",
  async (version) => {
    const { status, body } = await get(`/v1/models/iris${version}/metadata`);
    expect(status).toBe(200);
    const axis = (size: string) => ({ size, name: "" });
    const info = (name: string, dtype: string, ...sizes: string[]) => ({
      [name]: { dtype, tensor_shape: { dim: sizes.map(axis), unknown_rank: false }, name },
    });
    expect(body).toEqual({
      model_spec: { name: "iris", signature_name: "", version: "1" },
      metadata: {
        signature_def: {
          signature_def: {
            serving_default: {
              inputs: info("features", "DT_FLOAT", "-1", "4"),
              outputs: {
                ...info("label", "DT_STRING", "-1"),
                ...info("probabilities", "DT_FLOAT", "-1", "3"),
              },
              method_name: "tensorflow/serving/predict",
              defaults: {},
            },
          },
        },
      },
    });
  },
);

test("metadata of a model that there is not is 404 with the nearest name", async () => {
  expect(await get("/v1/models/irs/metadata")).toMatchObject({
    status: 404,
    body: { error: 'the server has no model "irs"; did you mean "iris"?' },
  });
});

test.each([
  ["/v1/models/iris:predict", { instances: [[1, 2, 3, 4]], signature_name: "score" }, "scores"],
  ["/v1/models/iris:predict", { inputs: { featres: [[1, 2, 3, 4]] } }, "features"],
  ["/v1/models/iris:predict", { instnces: [[1, 2, 3, 4]] }, "instances"],
  ["/invocations/iris", { inputs: [[1, 2, 3, 4]], params: { predictions: "label" } }, "labels"],
  ["/invocations/iris", { dataframe_splt: { data: [[1, 2, 3, 4]] } }, "dataframe_split"],
  ["/invocations/census", { dataframe_records: [{ agee: 1 }] }, "age"],
])("a name at %s that is nearly right, as in %j, is told the right one", async (path, body, name) => {
  expect(await errorOf(path, body)).toContain(`did you mean ${JSON.stringify(name)}?`);
});
