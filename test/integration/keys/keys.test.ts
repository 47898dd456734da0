/** A server with keys serves those who bring one, and each of them its models, in every protocol. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { ModelService } from "../../../gen/assay/v1/model_service_pb.ts";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { Health } from "../../../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import { GRPCInferenceService } from "../../../gen/inference/grpc_service_pb.ts";
import { keyFile, keyLine, sendWith, transportsWith } from "../../support/keys/keyed-server.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

const keys = keyFile(
  keyLine("iris-key", { id: "flowers", models: ["iris", "not-there"] }),
  keyLine("all-key", { id: "all", models: ["*"] }),
  keyLine("admin-key", { id: "operator", models: ["*"], admin: true }),
  keyLine("metrics-key", { id: "prometheus", metrics: true }),
);
const { url } = await fileServer("models", { keys: keys.path });

const features = [5.1, 3.5, 1.4, 0.2];
const NO_KEYS = [undefined, "wrong-key"];
const transports = transportsWith(url, "iris-key");
const refusal = async (work: Promise<unknown>) =>
  ConnectError.from(
    await work.then(
      () => "served",
      (e) => e,
    ),
  );
const reasonOf = (error: ConnectError) => error.findDetails(ErrorInfoSchema)[0]?.reason;

async function all(answers: AsyncIterable<unknown>): Promise<unknown[]> {
  const list: unknown[] = [];
  for await (const answer of answers) list.push(answer);
  return list;
}

async function* one<T>(item: T) {
  yield item;
}

const CALLS: Record<
  string,
  (transport: ReturnType<typeof transportsWith>[string], modelName: string) => Promise<unknown>
> = {
  Predict: (transport, modelName) => createClient(ScoringService, transport).predict({ modelName, features }),
  PredictRows: (transport, modelName) =>
    all(
      createClient(ScoringService, transport).predictRows({ items: [{ request: { modelName, features } }] }),
    ).then(failedItems),
  GetModel: (transport, modelName) => createClient(ModelService, transport).getModel({ modelName }),
  ModelInfer: (transport, modelName) =>
    createClient(GRPCInferenceService, transport).modelInfer({
      modelName,
      inputs: [{ name: "features", datatype: "FP32", shape: [1n, 4n], contents: { fp32Contents: features } }],
    }),
  ModelMetadata: (transport, name) => createClient(GRPCInferenceService, transport).modelMetadata({ name }),
  ModelConfig: (transport, name) => createClient(GRPCInferenceService, transport).modelConfig({ name }),
  ModelStatistics: (transport, name) =>
    createClient(GRPCInferenceService, transport).modelStatistics({ name }),
};

const STREAMS: typeof CALLS = {
  PredictStream: (transport, modelName) =>
    all(
      createClient(ScoringService, transport).predictStream(one({ request: { modelName, features } })),
    ).then(failedItems),
  ModelStreamInfer: (transport, modelName) =>
    all(
      createClient(GRPCInferenceService, transport).modelStreamInfer(
        one({
          modelName,
          inputs: [
            { name: "features", datatype: "FP32", shape: [1n, 4n], contents: { fp32Contents: features } },
          ],
        }),
      ),
    ).then((answers) => {
      const { errorMessage } = answers[0] as { errorMessage: string };
      if (errorMessage !== "") throw new ConnectError(errorMessage, Code.PermissionDenied);
    }),
};

/** An item's error as if the call had ended with it. */
function failedItems(answers: unknown[]): void {
  for (const { result } of answers as { result: { case: string; value: { code: Code; message: string } } }[])
    if (result.case === "status") throw new ConnectError(result.value.message, result.value.code);
}

describe.each(Object.keys(transports))("%s", (protocol) => {
  const calls = Object.entries({ ...CALLS, ...(/^grpc$|HTTP\/2/.test(protocol) ? STREAMS : {}) });

  test.each(calls)("%s is for whoever brings a key that is known", async (_, call) => {
    for (const key of NO_KEYS) {
      const error = await refusal(call(transportsWith(url, key)[protocol]!, "iris"));
      expect([error.code, reasonOf(error)]).toEqual([Code.Unauthenticated, "UNAUTHENTICATED"]);
      expect(error.rawMessage).toMatch(/no key came|none that the server knows/);
    }
  });

  test.each(calls)(
    "%s takes the models of the key; one that there is not is refused like one that there is",
    async (_, call) => {
      const transport = transports[protocol]!;
      await call(transport, "iris");
      const known = await refusal(call(transport, "census"));
      const unknown = await refusal(call(transport, "zensus"));
      expect(known.code).toBe(Code.PermissionDenied);
      expect(unknown.code).toBe(Code.PermissionDenied);
      expect(known.rawMessage).toBe(
        'the key or token of "flowers" may not use the model "census"; it may use iris',
      );
      expect(unknown.rawMessage).toBe(known.rawMessage.replace("census", "zensus"));
      const granted = await refusal(call(transport, "not-there"));
      expect(granted.code).toBe(Code.NotFound === granted.code ? Code.NotFound : Code.PermissionDenied);
      expect(granted.rawMessage).not.toMatch(/census|housing/);
    },
  );

  test("what is listed is what the key may use", async () => {
    const { models } = await createClient(ModelService, transports[protocol]!).listModels({});
    expect(new Set(models.map(({ modelName }) => modelName))).toEqual(new Set(["iris"]));
    const inference = createClient(GRPCInferenceService, transports[protocol]!);
    const index = await inference.repositoryIndex({});
    expect(new Set(index.models.map(({ name }) => name))).toEqual(new Set(["iris"]));
    const { modelStats } = await inference.modelStatistics({});
    expect(new Set(modelStats.map(({ name }) => name))).toEqual(new Set(["iris"]));
    expect(await inference.modelReady({ name: "census" })).toMatchObject({ ready: false });
  });

  test("health answers anybody for the server, and for a model whoever may use it", async () => {
    const stranger = createClient(Health, transportsWith(url, undefined)[protocol]!);
    expect(await stranger.check({ service: "" })).toMatchObject({ status: 1 });
    expect((await refusal(stranger.check({ service: "iris" }))).code).toBe(Code.NotFound);
    const known = createClient(Health, transports[protocol]!);
    expect(await known.check({ service: "iris" })).toMatchObject({ status: 1 });
    expect((await refusal(known.check({ service: "census" }))).code).toBe(Code.NotFound);
    const { statuses } = await known.list({});
    expect(Object.keys(statuses).filter((name) => /^\w+$/.test(name))).toEqual(["iris"]);
    const inference = createClient(GRPCInferenceService, transportsWith(url, undefined)[protocol]!);
    expect(await inference.serverReady({})).toMatchObject({ ready: true });
    expect((await refusal(inference.serverMetadata({}))).code).toBe(Code.Unauthenticated);
  });

  test("no model is loaded or unloaded by a key that may only score", async () => {
    const inference = createClient(GRPCInferenceService, transports[protocol]!);
    for (const work of [
      inference.repositoryModelLoad({ modelName: "iris" }),
      inference.repositoryModelUnload({ modelName: "iris" }),
    ]) {
      // The server takes no such calls from anybody; whoever may not is not served either way.
      expect([Code.PermissionDenied, Code.Unimplemented]).toContain((await refusal(work)).code);
    }
  });
});

test("reflection is for whoever brings a key", async () => {
  const list = { messageRequest: { case: "listServices", value: "" } } as const;
  const ask = (key?: string) =>
    all(createClient(ServerReflection, transportsWith(url, key).grpc!).serverReflectionInfo(one(list)));
  expect((await refusal(ask())).code).toBe(Code.Unauthenticated);
  expect(await ask("iris-key")).toHaveLength(1);
});

const tensors = { inputs: [{ name: "features", datatype: "FP32", shape: [1, 4], data: features }] };
const RESOURCES: [path: string, body?: unknown][] = [
  ["/predict/MODEL", { features }],
  ["/predict", { model_name: "MODEL", features }],
  ["/v2/models/MODEL/infer", tensors],
  ["/v2/models/MODEL"],
  ["/v2/models/MODEL/config"],
  ["/v2/models/MODEL/stats"],
  ["/v1/models/MODEL:predict", { instances: [features] }],
  ["/v1/models/MODEL"],
  ["/v1/models/MODEL/metadata"],
  ["/invocations/MODEL", { inputs: [features] }],
];

test.each(RESOURCES)("%s is for the keys that may use the model", async (path, body) => {
  const send = (key: string | undefined, model: string) =>
    sendWith(url, key)(
      path.replace("MODEL", model),
      body === undefined ? undefined : JSON.parse(JSON.stringify(body).replace("MODEL", model)),
    );
  for (const key of NO_KEYS) {
    const { status, headers } = await send(key, "iris");
    expect([status, headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  }
  expect((await send("iris-key", "iris")).status).toBe(200);
  const [known, unknown] = [await send("iris-key", "census"), await send("iris-key", "zensus")];
  expect([known.status, unknown.status]).toEqual([403, 403]);
  expect(known.text).toContain("may not use the model");
  expect(unknown.text).toBe(known.text.replaceAll("census", "zensus"));
  expect((await send("all-key", "zensus")).status).toBe(404);
});

test("lists of plain HTTP hold what the key may use", async () => {
  const send = sendWith(url, "iris-key");
  for (const [path, body] of [["/v2/repository/index", {}], ["/v2/models/stats"], ["/v1/models"]] as const) {
    const { status, text } = await send(path, body);
    expect([path, status]).toEqual([path, 200]);
    expect(text).toContain("iris");
    expect(text).not.toMatch(/census|housing/);
    expect((await sendWith(url, undefined)(path, body)).status).toBe(401);
  }
  // The only model that the key may use is the one that is meant.
  expect((await send("/predict", { features })).status).toBe(200);
  expect((await send("/invocations", { inputs: [features] })).status).toBe(200);
});

test("probes need no key, and tell of models whoever may know of them", async () => {
  const stranger = sendWith(url, undefined);
  for (const path of ["/livez", "/readyz", "/health", "/ping", "/v2/health/live", "/v2/health/ready"]) {
    expect([path, (await stranger(path)).status]).toEqual([path, 200]);
    expect([path, (await sendWith(url, "wrong-key")(path)).status]).toEqual([path, 200]);
  }
  expect(JSON.parse((await stranger("/readyz")).text)).toMatchObject({
    status: "ready",
    serving: 0,
    not_serving: [],
  });
  expect(JSON.parse((await sendWith(url, "iris-key")("/readyz")).text)).toMatchObject({ serving: 1 });
});

test("a refusal says whether the key or the way it was sent is wrong, and that probes need none; a probe is answered either way", async () => {
  const unknown = "the key that came is none that the server knows";
  const malformed = "the field authorization does not hold one key";
  for (const [authorization, told] of [
    ["Bearer wrong-key", unknown],
    ["Bearer", malformed],
    ["Basic aXJpczprZXk=", malformed],
    ["iris-key", malformed],
    ["Bearer iris-key iris-key", malformed],
  ] as const) {
    const headers = { authorization };
    const response = await fetch(`${url}/v1/models/iris`, { headers });
    const text = await response.text();
    expect([authorization, response.status, text]).toEqual([
      authorization,
      401,
      expect.stringContaining(told),
    ]);
    expect(text).toContain("/livez");
    expect([authorization, (await fetch(`${url}/livez`, { headers })).status]).toEqual([authorization, 200]);
  }
});

test("the metrics are for keys that may read them", async () => {
  const status = async (key?: string) => (await sendWith(url, key)("/metrics")).status;
  expect(
    await Promise.all([
      status(),
      status("iris-key"),
      status("all-key"),
      status("metrics-key"),
      status("admin-key"),
    ]),
  ).toEqual([401, 403, 403, 200, 200]);
  expect((await sendWith(url, "metrics-key")("/predict/iris", { features })).status).toBe(403);
});

test("a browser may ask before it sends its key", async () => {
  const { status, headers } = await sendWith(url, undefined)("/predict/iris", undefined, {
    method: "OPTIONS",
    headers: {
      origin: "https://example.com",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    },
  });
  expect(status).toBe(204);
  expect(headers.get("access-control-allow-headers")).toContain("authorization");
  const refused = await sendWith(url, undefined)(
    "/predict/iris",
    { features },
    { headers: { origin: "https://example.com" } },
  );
  expect(refused.headers.get("access-control-allow-origin")).toBe("*");
});

test.each(["Basic aXJpczprZXk=", "Bearer", "Bearer a b", "iris-key", "Bearer iris-key, Bearer iris-key"])(
  "a field authorization of %j is no key, and nothing of it is shown",
  async (authorization) => {
    const { status, text } = await sendWith(url, undefined)(
      "/predict/iris",
      { features },
      { headers: { authorization } },
    );
    expect(status).toBe(401);
    expect(text).not.toContain("iris-key");
  },
);
