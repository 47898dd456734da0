import http2 from "node:http2";
import { create } from "@bufbuild/protobuf";
import { expect, onTestFinished, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import {
  type PredictRequest,
  PredictRequestSchema,
  StreamOptions_Lane,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../../../src/errors.ts";
import { MOST_REFUSALS_OF_AN_ITEM } from "../../../src/scorer/remote/retry-policy.ts";
import { openServerScorer, type ServerScorerOptions } from "../../../src/scorer/remote/server-scorer.ts";
import type { Scorer } from "../../../src/scorer/scorer.ts";
import {
  type Script,
  type ScriptedServer,
  type ScriptedStream,
  scriptedModel,
  startScriptedServer,
} from "../../support/servers/scripted-server.ts";

async function start(
  script: Script,
  options: Partial<ServerScorerOptions> = {},
): Promise<{ server: ScriptedServer; scorer: Scorer; retries: string[] }> {
  const server = await startScriptedServer(script);
  onTestFinished(server.close);
  const retries: string[] = [];
  const scorer = await openServerScorer({
    url: server.url,
    modelName: "scripted",
    onRetry: ({ message }) => retries.push(message),
    ...options,
  });
  onTestFinished(() => scorer.close());
  return { server, scorer, retries };
}

function request(bytes = 16): PredictRequest {
  const input = {
    name: "x",
    datatype: "UINT8",
    shape: [1n, BigInt(bytes)],
    rawContents: new Uint8Array(bytes),
  };
  return create(PredictRequestSchema, { inputs: [input] });
}

/** The scores of `count` requests: the numbers of the items that answered them. */
async function scores(scorer: Scorer, count: number, bytes?: number): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: count }, () => scorer.score(request(bytes))));
  return answers.map((answer) => answer.scores[0]!);
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
const failure = (reason: Reason, retryAfterMs?: number) =>
  new AssayError(reason, `scripted ${reason}`, retryAfterMs === undefined ? {} : { retryAfterMs });

test("the first item asks for unordered bulk answers, and each names the exact version", async () => {
  const { server, scorer } = await start({});
  expect(await scores(scorer, 3)).toEqual([1, 2, 3]);
  const { items } = server.streams[0]!;
  expect(items[0]!.options).toMatchObject({ unordered: true, lane: StreamOptions_Lane.BULK });
  expect(items[1]!.options).toBeUndefined();
  for (const item of items) expect(item.request).toMatchObject({ modelName: "scripted", modelVersion: "3" });
});

test("answers in any order reach their requests, and one for nobody is passed over", async () => {
  const held: bigint[] = [];
  const { scorer } = await start({
    onItem({ itemId }, stream) {
      held.push(itemId);
      if (held.length < 5) return;
      stream.answer(999n);
      for (const one of held.splice(0).reverse()) stream.answer(one);
    },
  });
  expect(await scores(scorer, 5)).toEqual(numbers(5));
});

const ENDINGS: [string, (stream: ScriptedStream) => void][] = [
  ["RST_STREAM with INTERNAL_ERROR", ({ stream }) => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)],
  ["RST_STREAM with REFUSED_STREAM", ({ stream }) => stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)],
  ["the end of the connection", ({ session }) => session.destroy()],
  ["GOAWAY with an error", ({ session }) => session.goaway(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM)],
  ["UNAVAILABLE, SHUTTING_DOWN", (stream) => stream.end(failure(Reason.SHUTTING_DOWN, 20))],
  ["OK with items unanswered", (stream) => stream.end()],
  ["RESOURCE_EXHAUSTED with RetryInfo", (stream) => stream.end(failure(Reason.LIMIT_REACHED, 20))],
];

test.each(ENDINGS)("after %s the unanswered items are sent again", async (_, end) => {
  const { server, scorer, retries } = await start({
    onItem({ itemId }, stream) {
      if (stream.index > 0 || itemId <= 3n) stream.answer(itemId);
      else if (itemId === 5n) end(stream);
    },
  });
  expect(await scores(scorer, 3)).toEqual([1, 2, 3]);
  expect(await scores(scorer, 17)).toEqual(numbers(20).slice(3));
  expect(server.streams).toHaveLength(2);
  expect(server.streams[1]!.items.slice(0, 2).map(({ itemId }) => itemId)).toEqual([4n, 5n]);
  expect(retries).toHaveLength(1);
});

test("after GOAWAY without an error what is sent is answered there, and the rest goes to a new connection", async () => {
  let goneAway = false;
  const { server, scorer, retries } = await start({
    onItem({ itemId }, stream) {
      if (!goneAway) stream.session.goaway();
      goneAway = true;
      if (stream.index > 0) stream.answer(itemId);
    },
    onClientEnd(stream) {
      for (const { itemId } of stream.items) if (stream.index === 0) stream.answer(itemId);
      stream.end();
    },
  });
  expect(await scores(scorer, 20)).toEqual(numbers(20));
  expect(server.streams).toHaveLength(2);
  const sent = server.streams.flatMap(({ items }) => items.map(({ itemId }) => Number(itemId)));
  expect(sent.sort((a, b) => a - b)).toEqual(numbers(20));
  expect(retries).toEqual([]);
});

test("an item whose refusal passes is sent again, the others are not", async () => {
  const seen = new Map<bigint, number>();
  const { scorer, retries } = await start({
    onItem({ itemId }, stream) {
      const times = (seen.get(itemId) ?? 0) + 1;
      seen.set(itemId, times);
      if (itemId === 2n && times < 3) stream.refuse(itemId, failure(Reason.INSTANCE_LOST, 10));
      else stream.answer(itemId);
    },
  });
  expect(await scores(scorer, 10)).toEqual(numbers(10));
  expect([...seen.entries()].filter(([, times]) => times > 1)).toEqual([[2n, 3]]);
  expect(retries).toHaveLength(2);
});

test("an item that ends the worker each time is refused, and the others are scored", async () => {
  let sent = 0;
  const { scorer } = await start({
    onItem({ itemId }, stream) {
      if (itemId === 2n) {
        sent++;
        stream.refuse(itemId, failure(Reason.INSTANCE_LOST, 1));
      } else stream.answer(itemId);
    },
  });
  const results = await Promise.allSettled(Array.from({ length: 4 }, () => scorer.score(request())));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
  expect(results[1]).toMatchObject({ reason: { reason: Reason.INSTANCE_LOST } });
  expect(sent).toBe(MOST_REFUSALS_OF_AN_ITEM);
});

test("a request that protobuf cannot hold is rejected alone", async () => {
  const { scorer } = await start({});
  const odd = create(PredictRequestSchema, { inputs: [{ name: "x", contents: { intContents: [2 ** 40] } }] });
  const results = await Promise.allSettled([
    scorer.score(request()),
    scorer.score(odd),
    scorer.score(request()),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(results[1]).toMatchObject({ reason: { reason: Reason.INVALID_REQUEST } });
});

test("what does not pass ends all requests as it is", async () => {
  const { server, scorer, retries } = await start({
    onItem: (_, stream) => stream.end(new AssayError(Reason.UNIMPLEMENTED, "no such procedure")),
  });
  const results = await Promise.allSettled(Array.from({ length: 3 }, () => scorer.score(request())));
  for (const result of results) {
    expect(result).toMatchObject({
      reason: { reason: Reason.UNIMPLEMENTED, message: `${server.url}: no such procedure` },
    });
  }
  expect(retries).toEqual([]);
});

test("opening waits while the model loads, and says why a model is not served", async () => {
  const loading = scriptedModel({ state: ModelState.LOADING, stateReason: "still being loaded" });
  const states = [loading, failure(Reason.MODEL_NOT_READY, 5), failure(Reason.SHUTTING_DOWN, 5)];
  const { server, retries } = await start({ getModel: (call) => states[call] ?? scriptedModel() });
  expect(retries).toHaveLength(3);
  expect(retries[0]).toBe(`${server.url}: scripted version 3 takes no requests yet: still being loaded`);
  const failed = scriptedModel({ state: ModelState.FAILED, stateReason: "the file is damaged" });
  await expect(start({ getModel: () => failed })).rejects.toMatchObject({
    reason: Reason.MODEL_INVALID,
    message: expect.stringContaining("the file is damaged"),
  });
});

test("opening gives up on a model that does not come up", async () => {
  const loading = scriptedModel({ state: ModelState.LOADING, stateReason: "still being loaded" });
  await expect(start({ getModel: () => loading }, { retryTimeoutMs: 300 })).rejects.toMatchObject({
    reason: Reason.MODEL_NOT_READY,
    message: expect.stringMatching(/gave no answer for .*still being loaded/),
  });
});

test.each([
  ["requests", 16, 6],
  // The fifth is sent because 4 MiB are not reached before.
  ["bytes", 1_000_000, 5],
])("no more %s are sent than may be unanswered", async (_, bytes, most) => {
  let came = 0;
  let cameBeforeAnswers = 0;
  const { scorer } = await start(
    {
      windowBytes: 50_000_000,
      async onItem({ itemId }, stream) {
        came++;
        if (cameBeforeAnswers > 0) stream.answer(itemId);
        if (came !== most) return;
        // As many turns of the client's event loop, in which it would send more if it did not hold back.
        for (let turn = 0; turn < 20; turn++) await pong(stream.session);
        cameBeforeAnswers = came;
        for (const item of stream.items) stream.answer(item.itemId);
      },
    },
    { requestsPerStream: 6 },
  );
  expect(scorer.requestsInFlight).toBe(6);
  expect(await scores(scorer, 30, bytes)).toHaveLength(30);
  expect(cameBeforeAnswers).toBe(most);
});

function pong(session: http2.ServerHttp2Session): Promise<void> {
  return new Promise((resolve) => session.ping(() => resolve()));
}

test("a server that does not read is not sent to: what waits is not even encoded", async () => {
  const { server, scorer } = await start(
    { onStream: ({ stream }) => stream.pause() },
    { requestsPerStream: 30 },
  );
  const encoded = new Set<number>();
  const watched = (index: number) => {
    const one = request(300_000);
    const { inputs } = one;
    return Object.defineProperty(one, "inputs", {
      enumerable: true,
      get() {
        encoded.add(index);
        return inputs;
      },
    });
  };
  // Version and name are set, so that the request itself is encoded.
  const answers = Array.from({ length: 40 }, (_, index) =>
    scorer.score(Object.assign(watched(index), { modelName: "scripted", modelVersion: "3" })),
  );
  await expect.poll(() => server.streams.length).toBe(1);
  expect(encoded.size).toBe(2);
  server.streams[0]!.stream.resume();
  expect(await Promise.all(answers)).toHaveLength(40);
  expect(encoded.size).toBe(40);
});

test("a stream that answers nothing is given up for a new one", async () => {
  const { server, scorer, retries } = await start(
    {
      onItem({ itemId }, stream) {
        if (stream.index > 0) stream.answer(itemId);
      },
    },
    { answerTimeoutMs: 100 },
  );
  expect(await scores(scorer, 5)).toEqual(numbers(5));
  expect(server.streams).toHaveLength(2);
  expect(retries).toEqual([expect.stringContaining("answered none of 5 items within 100 ms")]);
});

test("close leaves no connection", async () => {
  const { server, scorer } = await start({}, { streams: 3 });
  await scores(scorer, 60);
  expect(server.openSessions).toBeGreaterThan(0);
  await scorer.close();
  await expect.poll(() => server.openSessions).toBe(0);
});
