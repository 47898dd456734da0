/** No name of a model in a request, in any protocol, leads to a file: what is no model of the table is told to be none. */
import { mkdirSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ModelService } from "../../../gen/assay/v1/model_service_pb.ts";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { GRPCInferenceService } from "../../../gen/inference/grpc_service_pb.ts";
import { fileFolder } from "../../support/folders.ts";
import { sendWith, transportsWith } from "../../support/keys/keyed-server.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

// Beside the repository lies another one, which a name that is taken for a path would lead to.
const folder = fileFolder();
const repository = join(folder, "repository");
mkdirSync(repository);
mkdirSync(join(folder, "outside"));
symlinkSync(resolve("models/iris"), join(repository, "iris"));
for (const name of ["housing", "iris"]) symlinkSync(resolve("models", name), join(folder, "outside", name));
const { url } = await fileServer(repository, { "model-control": "explicit", "load-model": "iris" });

const features = [1, 2, 3, 4];
const NAMES = [
  "../outside/housing",
  "../outside/iris",
  "..",
  ".",
  "./iris",
  "iris/",
  "iris/1",
  "iris/../iris",
  `${folder}/outside/housing`,
  "/etc/passwd",
  "iris\0",
  "../outside/housing\0.onnx",
  "..\\outside\\housing",
  "%2e%2e%2foutside%2fhousing",
  "file:///etc/passwd",
];
const REFUSED: readonly (Code | undefined)[] = [Code.NotFound, Code.InvalidArgument];

test.each(NAMES)("%j is no model in any procedure, and is not loaded", async (modelName) => {
  for (const transport of Object.values(transportsWith(url, undefined))) {
    const scoring = createClient(ScoringService, transport);
    const inference = createClient(GRPCInferenceService, transport);
    const calls = [
      scoring.predict({ modelName, features }),
      scoring.predict({ modelName: "iris", modelVersion: modelName, features }),
      createClient(ModelService, transport).getModel({ modelName }),
      inference.modelInfer({ modelName }),
      inference.modelMetadata({ name: modelName }),
      inference.modelConfig({ name: modelName }),
      inference.modelStatistics({ name: modelName }),
      inference.repositoryModelLoad({ modelName }),
      inference.repositoryModelLoad({ repositoryName: modelName }),
      inference.repositoryModelUnload({ modelName }),
    ];
    const errors = await Promise.all(
      calls.map((call: Promise<unknown>) =>
        call.then(
          () => "served",
          (thrown: unknown) => thrown,
        ),
      ),
    );
    for (const thrown of errors) {
      const error = ConnectError.from(thrown);
      expect([error.code, error.rawMessage]).toEqual([
        expect.toSatisfy((code: Code) => REFUSED.includes(code)),
        expect.not.stringMatching(/ENOENT|EACCES|no such file|root:/),
      ]);
    }
  }
});

// Dots alone never arrive: fetch takes them for a path of its own.
const IN_PATHS = NAMES.filter((name) => !/^\.+$/.test(name));

test.each(IN_PATHS)("%j is no model in any path", async (name) => {
  const send = sendWith(url, undefined);
  const encoded = encodeURIComponent(name).replaceAll(".", "%2e");
  const requests: [string, object?][] = [
    [`/predict/${encoded}`, { features }],
    ["/predict", { model_name: name, features }],
    [`/predict/iris/${encoded}`, { features }],
    [`/v1/models/${encoded}:predict`, { instances: [features] }],
    [`/v1/models/${encoded}`],
    [`/v2/models/${encoded}`],
    [`/v2/models/${encoded}/infer`, { inputs: [] }],
    [`/v2/repository/models/${encoded}/load`, {}],
    [`/v2/repository/models/${encoded}/unload`, {}],
    [`/invocations/${encoded}`, { inputs: [features] }],
  ];
  for (const [path, body] of requests) {
    const { status, text } = await send(path, body);
    expect([path, status]).toEqual([
      path,
      expect.toSatisfy((one) => [400, 404, 405, 422].includes(one as number)),
    ]);
    expect(text).not.toMatch(/ENOENT|EACCES|no such file|root:/);
  }
});

test("nothing but what was asked for is loaded by then", async () => {
  const { models } = await createClient(ModelService, transportsWith(url, undefined).grpc!).listModels({});
  expect(models.map(({ modelName }) => modelName)).toEqual(["iris"]);
});
