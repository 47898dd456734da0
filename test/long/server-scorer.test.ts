import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import {
  PredictRequestSchema,
  type PredictResponse,
  ScoringService,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import { openServerScorer, type ServerScorerOptions } from "../../src/scorer/remote/server-scorer.ts";
import type { Scorer } from "../../src/scorer/scorer.ts";
import { startTcpProxy } from "../support/clients/tcp-proxy.ts";
import {
  type AffineRepository,
  affineRequest,
  isAffineAnswer,
  writeAffineRepository,
} from "../support/models/affine-repository.ts";
import { startAppServer } from "../support/servers/app-server.ts";
import { type ServerProcess, startServerProcess } from "../support/servers/server-process.ts";

const MODELS = fileURLToPath(new URL("../../models", import.meta.url));

let repository: AffineRepository;
beforeEach(() => {
  repository = writeAffineRepository();
  onTestFinished(() => repository.remove());
});

async function serve(...flags: string[]): Promise<ServerProcess> {
  const server = await startServerProcess(repository.folder, ...flags);
  onTestFinished(server.kill);
  return server;
}

async function open(url: string, options: Partial<ServerScorerOptions> = {}): Promise<Scorer> {
  const scorer = await openServerScorer({ url, modelName: "affine", ...options });
  onTestFinished(() => scorer.close());
  return scorer;
}

/** Scores requests 0 … count-1 as a job does, and counts how often each was answered rightly. */
async function scoreAll(
  scorer: Scorer,
  count: number,
  onAnswer = (_answered: number) => {},
): Promise<number[]> {
  const answers = new Array<number>(count).fill(0);
  let next = 0;
  let answered = 0;
  const lane = async () => {
    while (next < count) {
      const index = next++;
      const response = await scorer.score(affineRequest(index));
      if (isAffineAnswer(index, response)) answers[index]!++;
      onAnswer(++answered);
    }
  };
  await Promise.all(Array.from({ length: scorer.requestsInFlight }, lane));
  return answers;
}

const once = (count: number) => new Array<number>(count).fill(1);

test("scores, labels and outputs are those of unary predictions, row by row", async () => {
  const { app, url } = await startAppServer(MODELS);
  onTestFinished(app.close);
  const scorer = await open(url, { modelName: "iris", streams: 3 });
  expect(scorer.model).toMatchObject({ modelName: "iris", modelVersion: "1" });
  const unary = createClient(ScoringService, createGrpcTransport({ baseUrl: url }));
  const name = scorer.model.inputs[0]!.name;
  const requests = Array.from({ length: 60 }, (_, index) => {
    const rows = 1 + index * 7;
    const values = Float32Array.from({ length: rows * 4 }, (_, i) => ((i * 37 + index * 11) % 80) / 10);
    const rawContents = new Uint8Array(values.buffer);
    const input = { name, datatype: "FP32", shape: [BigInt(rows), 4n], rawContents };
    return create(PredictRequestSchema, {
      modelName: "iris",
      inputs: [input],
      outputNames: index % 2 === 0 ? ["*"] : [],
    });
  });
  const streamed = await Promise.all(requests.map((request) => scorer.score(request)));
  for (const [index, request] of requests.entries()) {
    const expected = await unary.predict(request);
    const came = streamed[index]!;
    expect(came).toMatchObject({ modelName: "iris", modelVersion: "1", labels: expected.labels });
    expectClose(came.scores, expected.scores);
    expect(came.outputs.map((output) => output.name)).toEqual(expected.outputs.map((output) => output.name));
    expectClose(probabilities(came), probabilities(expected));
  }
});

/** The last bits of a row's floats depend on the rows that share its batch. */
function expectClose(came: readonly number[], expected: readonly number[]): void {
  expect(came).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(came[i]).toBeCloseTo(value, 5);
}

function probabilities(response: PredictResponse): number[] {
  const raw = response.outputs.find((output) => output.name === "probabilities")?.rawContents;
  return raw === undefined ? [] : [...new Float32Array(new Uint8Array(raw).buffer)];
}

test("https works with a certificate that is trusted", async () => {
  const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
  const cert = fixture("localhost-cert.pem");
  const flags = { "tls-cert": cert, "tls-key": fixture("localhost-key.pem") };
  const { app } = await startAppServer(repository.folder, flags);
  onTestFinished(app.close);
  const certificateAuthorities = readFileSync(cert, "utf8");
  const scorer = await open(`https://localhost:${app.address.port}`, { certificateAuthorities });
  expect(await scoreAll(scorer, 20)).toEqual(once(20));
});

test("a request that breaks rules is rejected with its violations, and the others are scored", async () => {
  const { url } = await serve();
  const scorer = await open(url);
  const bad = affineRequest(1);
  const broken = create(PredictRequestSchema, {
    inputs: [{ ...bad.inputs[0]!, name: "z", shape: [64n, 15n] }],
  });
  const results = await Promise.allSettled([
    scorer.score(affineRequest(0)),
    scorer.score(broken),
    scorer.score(affineRequest(2)),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  const { reason: error } = results[1] as PromiseRejectedResult;
  expect(error).toMatchObject({ name: "AssayError", reason: Reason.INVALID_REQUEST });
  expect(error.violations.length).toBeGreaterThan(0);
  expect(error.violationCount).toBeGreaterThanOrEqual(error.violations.length);
  for (const violation of error.violations) {
    expect(violation).toEqual({
      field: expect.stringMatching(/^inputs/),
      description: expect.any(String),
      rule: expect.stringMatching(/./),
    });
  }
});

test("requests above the server's limit are rejected with MESSAGE_TOO_LARGE, and the others are scored", async () => {
  const { url } = await serve("--max-message-bytes", "20000");
  const scorer = await open(url);
  const rows = (index: number) => (index === 3 ? 400 : index === 7 ? 700 : 64);
  const requests = Array.from({ length: 20 }, (_, index) => affineRequest(index, rows(index)));
  const results = await Promise.allSettled(requests.map((request) => scorer.score(request)));
  for (const [index, result] of results.entries()) {
    if (rows(index) > 64) expect(result).toMatchObject({ reason: { reason: Reason.MESSAGE_TOO_LARGE } });
    else expect(result.status === "fulfilled" && isAffineAnswer(index, result.value), `${index}`).toBe(true);
  }
});

test("a server killed at random moments and started again: every row is scored once", async () => {
  let server = await serve();
  const flags = ["--port", String(server.port)];
  const scorer = await open(server.url, { streams: 2 });
  const count = 600;
  const killAt = [1 + Math.floor(Math.random() * 200), 250 + Math.floor(Math.random() * 200)];
  let restarts = Promise.resolve();
  const answers = await scoreAll(scorer, count, (answered) => {
    if (!killAt.includes(answered)) return;
    restarts = restarts.then(async () => {
      await server.kill();
      server = await serve(...flags);
    });
  });
  await restarts;
  expect(answers, `killed after ${killAt} answers`).toEqual(once(count));
});

test("a server drained while it scores and started again: every row is scored once", async () => {
  const server = await serve();
  const retries: string[] = [];
  const scorer = await open(server.url, { onRetry: ({ message }) => retries.push(message) });
  const count = 400;
  let drained: Promise<number | null> | undefined;
  const answers = await scoreAll(scorer, count, (answered) => {
    if (answered !== 100) return;
    drained = server.terminate().then(async (code) => {
      await serve("--port", String(server.port));
      return code;
    });
  });
  expect(answers).toEqual(once(count));
  expect(await drained).toBe(0);
  expect(retries.length).toBeGreaterThan(0);
});

test("connections cut after random byte counts: every row is scored once", async () => {
  const server = await serve();
  const cuts = Array.from({ length: 12 }, () => 2_000 + Math.floor(Math.random() ** 2 * 400_000));
  const proxy = await startTcpProxy(server.port, (connection) => {
    const bytes = cuts[connection];
    return bytes === undefined ? undefined : { bytes, ending: "cut" };
  });
  onTestFinished(proxy.close);
  const scorer = await open(proxy.url, { streams: 2 });
  const count = 1000;
  expect(await scoreAll(scorer, count), `cuts at ${cuts}`).toEqual(once(count));
  expect(proxy.endedCount).toBeGreaterThan(0);
});

test("a peer that is dead without a word is noticed by PINGs", async () => {
  const server = await serve();
  const proxy = await startTcpProxy(server.port, (connection) =>
    connection === 0 ? { bytes: 100_000, ending: "hang" } : undefined,
  );
  onTestFinished(proxy.close);
  const retries: string[] = [];
  const scorer = await open(proxy.url, { keepaliveMs: 300, onRetry: ({ message }) => retries.push(message) });
  expect(await scoreAll(scorer, 100)).toEqual(once(100));
  expect(retries[0]).toContain("no answer to a PING within 300 ms");
});

test("a server that never comes back ends all requests with one error that says so", async () => {
  const server = await serve();
  const scorer = await open(server.url, { retryTimeoutMs: 700 });
  await scorer.score(affineRequest(0));
  const started = performance.now();
  const all = Array.from({ length: 20 }, (_, index) => scorer.score(affineRequest(index)));
  const [results] = await Promise.all([Promise.allSettled(all), server.kill()]);
  expect(performance.now() - started).toBeLessThan(15_000);
  const rejected = results.filter((one) => one.status === "rejected").map(({ reason }) => reason);
  expect(rejected.length).toBeGreaterThan(0);
  expect(new Set(rejected).size).toBe(1);
  expect(rejected[0]).toMatchObject({
    reason: Reason.SERVER_UNREACHABLE,
    message: expect.stringMatching(
      /gave no answer for \d+\.\d s \(\d+ failures?\); the last was: .*ECONNREFUSED/,
    ),
  });
  await expect(scorer.score(affineRequest(0))).rejects.toBe(rejected[0]);
});

test("another file under the same version is refused by name", async () => {
  const server = await serve();
  const scorer = await open(server.url);
  await scorer.score(affineRequest(0));
  await server.kill();
  repository.changeFile();
  await serve("--port", String(server.port));
  await expect(scorer.score(affineRequest(1))).rejects.toMatchObject({
    reason: Reason.MODEL_VERSION_NOT_FOUND,
    message: expect.stringContaining("the server now has another file for affine version 1"),
  });
});

test("a lost connection is opened again when the next request comes", async () => {
  const server = await serve();
  const scorer = await open(server.url);
  await scorer.score(affineRequest(0));
  await server.kill();
  await serve("--port", String(server.port));
  expect(isAffineAnswer(1, await scorer.score(affineRequest(1)))).toBe(true);
});

test("a model or a version that the server does not have is refused at opening", async () => {
  const { url } = await serve();
  await expect(open(url, { modelName: "afine" })).rejects.toMatchObject({
    reason: Reason.MODEL_NOT_FOUND,
    message: expect.stringContaining("affine"),
  });
  await expect(open(url, { modelVersion: "7" })).rejects.toMatchObject({
    reason: Reason.MODEL_VERSION_NOT_FOUND,
  });
});

test("close rejects what is unanswered, twice is as good as once, and nothing is left", async () => {
  const server = await serve();
  const proxy = await startTcpProxy(server.port, () => undefined);
  onTestFinished(proxy.close);
  const scorer = await openServerScorer({ url: proxy.url, modelName: "affine", streams: 2 });
  await scorer.score(affineRequest(0));
  const waiting = Array.from({ length: 50 }, (_, index) => scorer.score(affineRequest(index)));
  const settled = Promise.allSettled(waiting);
  await Promise.all([scorer.close(), scorer.close()]);
  await scorer.close();
  const rejected = (await settled).filter((one) => one.status === "rejected");
  for (const { reason } of rejected) expect(reason).toMatchObject({ reason: Reason.CANCELLED });
  expect(rejected.length).toBeGreaterThan(0);
  await expect(scorer.score(affineRequest(0))).rejects.toMatchObject({ reason: Reason.CANCELLED });
  expect(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length).toBeLessThan(2);
});
