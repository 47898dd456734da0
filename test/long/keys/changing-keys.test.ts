/** Keys and their rates hold for what comes after a change of their file, in open streams and on open connections too, on every edge. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, onTestFinished, test, vi } from "vitest";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { GRPCInferenceService } from "../../../gen/inference/grpc_service_pb.ts";
import { createForwardedLog } from "../../../src/telemetry/log.ts";
import { irisFolder, keyFile, keyLine, sendWith, transportsWith } from "../../support/keys/keyed-server.ts";
import { startAppServer } from "../../support/servers/app-server.ts";

const models = irisFolder();
const features = [5.1, 3.5, 1.4, 0.2];
const iris = { modelName: "iris", features };
const CHANGED = { timeout: 15_000, interval: 50 };

async function started(keys: ReturnType<typeof keyFile>, flags: Record<string, string> = {}) {
  const lines: Record<string, unknown>[] = [];
  const log = createForwardedLog("info", {}, (line) => lines.push(JSON.parse(line)));
  const server = await startAppServer(models, { keys: keys.path, "access-log": "all", ...flags }, { log });
  onTestFinished(() => server.app.close());
  return { ...server, lines };
}

test("a key that is taken out is refused on an open connection and in an open stream; a new one serves", async () => {
  const keys = keyFile(keyLine("old", { id: "a", models: ["iris"] }));
  const { url } = await started(keys);
  const transport = transportsWith(url, "old").grpc!;
  const next = Promise.withResolvers<void>();
  async function* items() {
    yield { itemId: 1n, request: iris };
    await next.promise;
    yield { itemId: 2n, request: iris };
  }
  const answers = createClient(ScoringService, transport).predictStream(items())[Symbol.asyncIterator]();
  expect((await answers.next()).value.result.case).toBe("response");
  keys.write(keyLine("new", { id: "b", models: ["iris"] }));
  await vi.waitFor(
    async () => expect((await sendWith(url, "new")("/predict/iris", iris)).status).toBe(200),
    CHANGED,
  );
  const call = createClient(ScoringService, transport).predict(iris);
  expect(ConnectError.from(await call.catch((error) => error)).code).toBe(Code.Unauthenticated);
  next.resolve();
  const { result } = (await answers.next()).value;
  expect(result.value).toMatchObject({ code: Code.Unauthenticated });
  expect(result.value.message).toContain("has been taken out");
  expect((await answers.next()).done).toBe(true);
});

test("what a key may is what its line says by now", async () => {
  const keys = keyFile(keyLine("k", { id: "a", models: ["census"] }));
  const { url } = await started(keys);
  const send = sendWith(url, "k");
  expect((await send("/predict/iris", iris)).status).toBe(403);
  keys.write(keyLine("k", { id: "a", models: ["iris"] }));
  await vi.waitFor(async () => expect((await send("/predict/iris", iris)).status).toBe(200), CHANGED);
});

test("a file that is broken by now is told by line, and the keys before it hold on; SIGHUP reads it at once", async () => {
  const keys = keyFile(keyLine("k", { id: "a", models: ["iris"] }));
  const { url, lines, app } = await started(keys);
  keys.write(
    keyLine("k", { id: "a", models: ["iris"] }),
    '{"id": "b", "sha256": "planted-secret", "models": ["*"]}',
    '{"id": "planted-secret',
  );
  await app.rescan();
  const told = () =>
    lines.filter(({ msg }) => String(msg).includes("is not taken")).map(({ msg }) => String(msg));
  expect(told()[0]).toMatch(
    /keys\.jsonl line 2: sha256: the digest of the key is expected.*\n.*line 3: it is no JSON/,
  );
  expect(JSON.stringify(lines)).not.toContain("planted-secret");
  expect((await sendWith(url, "k")("/predict/iris", iris)).status).toBe(200);
  keys.write("");
  await app.rescan();
  expect(told().at(-1)).toContain("it holds no key");
  expect((await sendWith(url, "k")("/predict/iris", iris)).status).toBe(200);
});

test("a server does not start with a file of keys that is wrong, or is not there", async () => {
  const keys = keyFile("{}");
  await expect(startAppServer(models, { keys: keys.path })).rejects.toThrow(
    /line 1: id: .*\n.*line 1: one of sha256/,
  );
  await expect(startAppServer(models, { keys: `${keys.path}.not` })).rejects.toThrow("cannot be read");
});

test("the log names the caller by its id, and never the key", async () => {
  const keys = keyFile(keyLine("planted-key", { id: "team-a", models: ["iris"] }));
  const { url, lines } = await started(keys);
  await sendWith(url, "planted-key")("/predict/iris", iris);
  await sendWith(url, "planted-wrong")("/predict/iris", iris);
  await vi.waitFor(() => expect(lines.filter(({ procedure }) => procedure !== undefined)).toHaveLength(2));
  const access = lines.filter(({ procedure }) => procedure !== undefined);
  expect(access[0]).toMatchObject({ caller: "team-a", status: 200, model: "iris" });
  expect(access[1]).toMatchObject({ status: 401, reason: "UNAUTHENTICATED" });
  expect(access[1]).not.toHaveProperty("caller");
  expect(JSON.stringify(lines)).not.toContain("planted");
});

test("a key that sends more requests than it may is told when to come again, and others are served", async () => {
  const keys = keyFile(
    keyLine("slow", { id: "slow", models: ["iris"], requests_per_second: 0.5 }),
    keyLine("fast", { id: "fast", models: ["iris"] }),
  );
  const { url } = await started(keys);
  const send = sendWith(url, "slow");
  expect((await send("/predict/iris", iris)).status).toBe(200);
  const { status, headers, text } = await send("/predict/iris", iris);
  expect(status).toBe(429);
  expect(Number(headers.get("retry-after"))).toBeLessThanOrEqual(2);
  expect(text).toContain("requests_per_second");
  const scoring = createClient(ScoringService, transportsWith(url, "slow").grpc!);
  const error = ConnectError.from(await scoring.predict(iris).catch((thrown) => thrown));
  expect(error.code).toBe(Code.ResourceExhausted);
  const [retry] = error.findDetails(RetryInfoSchema);
  expect(Number(retry!.retryDelay!.seconds)).toBeLessThan(2);
  expect((await sendWith(url, "fast")("/predict/iris", iris)).status).toBe(200);
  expect((await send("/readyz")).status).toBe(200);
});

test("rows count too: a large request is taken whole, and its key waits the longer", async () => {
  const keys = keyFile(keyLine("rows", { id: "rows", models: ["iris"], rows_per_second: 10 }));
  const { url } = await started(keys);
  const send = sendWith(url, "rows");
  const many = { inputs: [{ name: "features", datatype: "FP32", shape: [40, 4], data: Array(160).fill(1) }] };
  expect((await send("/v2/models/iris/infer", many)).status).toBe(200);
  const { status, text } = await send("/predict/iris", iris);
  expect(status).toBe(429);
  expect(Number(/in (\d+) ms/.exec(text)![1])).toBeGreaterThan(2000);
});

test("a stream is slowed to its key's rate, and none of its items fails", async () => {
  const services = ["assay", "inference"] as const;
  const keys = keyFile(
    ...services.map((id) => keyLine(id, { id, models: ["iris"], requests_per_second: 20 })),
  );
  const { url } = await started(keys);
  const count = 28;
  for (const service of services) {
    const from = performance.now();
    const transport = transportsWith(url, service).grpc!;
    let answered = 0;
    if (service === "assay") {
      async function* items() {
        for (let i = 0; i < count; i++) yield { itemId: BigInt(i), request: iris };
      }
      for await (const { result } of createClient(ScoringService, transport).predictStream(items())) {
        expect(result.case).toBe("response");
        answered++;
      }
    } else {
      async function* messages() {
        const contents = { fp32Contents: features };
        for (let i = 0; i < count; i++)
          yield {
            modelName: "iris",
            inputs: [{ name: "features", datatype: "FP32", shape: [1n, 4n], contents }],
          };
      }
      for await (const { errorMessage } of createClient(GRPCInferenceService, transport).modelStreamInfer(
        messages(),
      )) {
        expect(errorMessage).toBe("");
        answered++;
      }
    }
    expect(answered).toBe(count);
    // Twenty come at once, of which the stream itself is one, and each of the others after 50 ms.
    expect(performance.now() - from).toBeGreaterThan(400);
  }
});

test("a key's rate is one for all edges together, and a key that is taken out is gone from all", async () => {
  const keys = keyFile(
    keyLine("k", { id: "k", models: ["iris"], requests_per_second: 10 }),
    keyLine("other", { id: "other", models: ["iris"] }),
  );
  const { url, app } = await started(keys, { edges: "2", "log-level": "silent" });
  const call = async (key: string) => {
    const transport = createGrpcTransport({ baseUrl: url });
    const headers = { authorization: `Bearer ${key}` };
    return await createClient(ScoringService, transport)
      .predict(iris, { headers })
      .then(
        () => "served",
        (error) => Code[ConnectError.from(error).code]!,
      );
  };
  // Each by a connection of its own, so that both edges get some.
  const from = performance.now();
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => call("k")));
  const served = outcomes.filter((one) => one === "served").length;
  const seconds = (performance.now() - from) / 1000;
  expect(served).toBeGreaterThanOrEqual(10);
  expect(served).toBeLessThanOrEqual(11 + 10 * seconds);
  keys.write(keyLine("k", { id: "k", models: ["iris"] }));
  await app.rescan();
  const gone = async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => call("other")));
    expect(new Set(all)).toEqual(new Set(["Unauthenticated"]));
  };
  await vi.waitFor(gone, CHANGED);
});
