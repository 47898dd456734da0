import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { ModelSchema, ModelSummarySchema } from "../../../../gen/assay/v1/model_service_pb.ts";
import { PredictRequestSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { NOTHING_ASKED } from "../../../../src/edge/identity/asked-identity.ts";
import { OpenApiDocuments } from "../../../../src/edge/openapi/documents.ts";
import { AssayError } from "../../../../src/errors.ts";
import { mapRowColumns } from "../../../../src/model/row-columns.ts";
import { ANONYMOUS } from "../../../../src/registry/caller.ts";
import type { ServedModel } from "../../../../src/registry/served-model.ts";
import { signature, spec } from "../../../support/models/signatures.ts";

/** A model whose rows have so many columns by name; counts how often it was described. */
class WideModel {
  readonly modelVersion = "1";
  readonly modelName: string;
  readonly signature;
  readonly rowColumns;
  descriptions = 0;

  constructor(modelName: string, columns: number) {
    this.modelName = modelName;
    const featureNames = Array.from({ length: columns }, (_, index) => `column_${index}`);
    this.signature = signature([spec("x", "FP32", [-1, columns], { featureNames })]);
    this.rowColumns = mapRowColumns(this.signature);
  }

  describe() {
    this.descriptions += 1;
    const { modelName, modelVersion } = this;
    const exampleRequest = create(PredictRequestSchema, { modelName, features: [1, 2] });
    return create(ModelSchema, { modelName, modelVersion, exampleRequest });
  }
}

/** The documents of models that may be changed. */
function documentsOf(models: ReadonlyMap<string, WideModel>): OpenApiDocuments {
  return new OpenApiDocuments({
    facts: { serverName: "assay", version: "1", canLoad: false, identity: NOTHING_ASKED },
    models: {
      list: () =>
        [...models.keys()].map((modelName) =>
          create(ModelSummarySchema, { modelName, modelVersion: "1", isDefault: true }),
        ),
    },
    scoring: {
      resolve(modelName) {
        const model = models.get(modelName);
        if (model === undefined) throw new AssayError(Reason.MODEL_NOT_FOUND, "no such model");
        return model as unknown as ServedModel;
      },
    },
  });
}

function parsed({ bytes }: { readonly bytes: Uint8Array }): {
  paths: Record<string, unknown>;
  info: { description: string };
  components: { schemas: Record<string, { properties?: object }> };
} {
  return JSON.parse(Buffer.from(bytes).toString());
}

test("a document is made once for all that ask at once, and kept", async () => {
  const model = new WideModel("m", 3);
  const documents = documentsOf(new Map([["m", model]]));
  const asked = await Promise.all(Array.from({ length: 100 }, () => documents.server(ANONYMOUS)));
  expect(new Set(asked).size).toBe(1);
  expect(await documents.server(ANONYMOUS)).toBe(asked[0]);
  const ofModel = await Promise.all([
    documents.model("m", "", ANONYMOUS),
    documents.model("m", "", ANONYMOUS),
  ]);
  expect(ofModel[0]).toBe(ofModel[1]);
  expect(await documents.model("m", "1", ANONYMOUS)).not.toBe(ofModel[0]);
});

test("a model that is loaded anew, comes or goes makes another document", async () => {
  const models = new Map([["m", new WideModel("m", 3)]]);
  const documents = documentsOf(models);
  const before = await documents.server(ANONYMOUS);
  models.set("m", new WideModel("m", 2));
  const reloaded = await documents.server(ANONYMOUS);
  expect(parsed(before).components.schemas["models.m.Row"]!.properties).toHaveProperty("column_2");
  expect(parsed(reloaded).components.schemas["models.m.Row"]!.properties).not.toHaveProperty("column_2");
  models.set("n", new WideModel("n", 1));
  expect(parsed(await documents.server(ANONYMOUS)).paths).toHaveProperty(["/predict/n"]);
  models.delete("m");
  expect(parsed(await documents.server(ANONYMOUS)).paths).not.toHaveProperty(["/predict/m"]);
});

test("a model that there is not is refused, and the next request is served", async () => {
  const documents = documentsOf(new Map([["m", new WideModel("m", 1)]]));
  expect(() => documents.model("x", "", ANONYMOUS)).toThrow("no such model");
  expect(parsed(await documents.model("m", "", ANONYMOUS)).paths).toHaveProperty(["/predict/m"]);
});

test("names that are no names of components, or alike, have a path and schemas of their own", async () => {
  const names = ["a b", "a_b", "ü/{x}", "__proto__"];
  const documents = documentsOf(new Map(names.map((name) => [name, new WideModel(name, 1)])));
  const { paths, components } = parsed(await documents.server(ANONYMOUS));
  for (const name of names) expect(Object.keys(paths)).toContain(`/predict/${encodeURIComponent(name)}`);
  const schemas = Object.keys(components.schemas);
  expect(schemas.filter((name) => name.endsWith(".Row"))).toHaveLength(names.length);
  expect(schemas.filter((name) => !/^[a-zA-Z0-9._-]+$/.test(name))).toEqual([]);
});

test("more columns than fit one document are told in the models' own, and the event loop goes on", async () => {
  const names = Array.from({ length: 100 }, (_, index) => `model-${index}`);
  const documents = documentsOf(new Map(names.map((name) => [name, new WideModel(name, 1000)])));
  let turns = 0;
  const turn = () => {
    turns += 1;
    timer = setImmediate(turn);
  };
  let timer = setImmediate(turn);
  const body = await documents.server(ANONYMOUS);
  clearImmediate(timer);
  expect(turns).toBeGreaterThan(3);
  expect(body.bytes.length).toBeLessThan(8_000_000);
  const { paths, info } = parsed(body);
  expect(paths).toHaveProperty(["/predict/model-0"]);
  expect(paths).not.toHaveProperty(["/predict/model-99"]);
  expect(info.description).toContain("`model-99`");
  const own = parsed(await documents.model("model-99", "", ANONYMOUS));
  expect(own.components.schemas["models.model-99.Row"]!.properties).toHaveProperty("column_999");
});

test("one model of very many columns is told in short", async () => {
  const documents = documentsOf(new Map([["m", new WideModel("m", 100_000)]]));
  const body = await documents.model("m", "", ANONYMOUS);
  expect(body.bytes.length).toBeLessThan(1_000_000);
  expect(Buffer.from(body.bytes).toString()).toContain("100000 columns");
});
