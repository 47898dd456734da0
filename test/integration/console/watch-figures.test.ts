import { type Client, Code, type ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConsoleService, type WatchFiguresResponse } from "../../../gen/assay/v1/console_service_pb.ts";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { type AppServer, startAppServer } from "../../support/servers/app-server.ts";

const features = [5.1, 3.5, 1.4, 0.2];
const quick = { interval: { nanos: 250_000_000 } };
let server: AppServer;

beforeAll(async () => {
  server = await startAppServer("models");
});
afterAll(() => server.app.close());

function clientsOf(url: string) {
  const transport = createGrpcTransport({ baseUrl: url });
  return {
    figures: createClient(ConsoleService, transport),
    scoring: createClient(ScoringService, transport),
  };
}

const irisOf = ({ models }: WatchFiguresResponse) => models.find(({ modelName }) => modelName === "iris");

test("figures come at once, and tell what has been scored since as soon as it was", async () => {
  const { figures, scoring } = clientsOf(server.url);
  const messages: WatchFiguresResponse[] = [];
  let scored = 0n;
  const end = new AbortController();
  for await (const message of figures.watchFigures(quick, { signal: end.signal })) {
    messages.push(message);
    const iris = irisOf(message);
    if (scored === 0n) {
      scored = (iris?.answered ?? 0n) + 2n;
      await scoring.predict({ modelName: "iris", features });
      await scoring.predict({ modelName: "iris", features });
      await scoring.predict({ modelName: "iris", features: [1] }).catch(() => {});
    } else if (iris?.answered === scored) break;
  }
  end.abort();
  const [began] = messages;
  expect(began!.models.map(({ modelName }) => modelName)).toEqual(["census", "digits", "housing", "iris"]);
  expect(began!.server).toMatchObject({ serverName: "assay", ready: true, draining: false, loading: false });
  expect(began!.server!.residentBytes).toBeGreaterThan(1_000_000n);
  const last = messages.at(-1)!;
  // What has done nothing since the message before is left out.
  expect(last.models.map(({ modelName }) => modelName)).toEqual(["iris"]);
  const iris = irisOf(last)!;
  expect(iris.durations!.counts.reduce((sum, count) => sum + count)).toBe(scored);
  expect(iris.batchEnds.idle).toBe(iris.runs);
  expect(iris.stages!.run).toBeGreaterThan(0);
});

test("Connect over HTTP/1.1 reads the same stream as JSON", async () => {
  const client = createClient(
    ConsoleService,
    createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" }),
  );
  expect((await first(client)).durationBounds[0]).toBe(0.0001);
});

test("an interval outside its bounds is refused with its field", async () => {
  const { figures } = clientsOf(server.url);
  const refusal = await first(figures, { interval: { nanos: 1 } }).catch((error) => error);
  expect(refusal).toMatchObject({ code: Code.InvalidArgument });
  expect(String(refusal)).toContain("interval");
});

test("one caller more than may watch is refused, and the place of one that leaves is free", async () => {
  const { figures } = clientsOf(server.url);
  const ends = Array.from({ length: 32 }, () => new AbortController());
  const watches = ends.map(({ signal }) => figures.watchFigures(quick, { signal })[Symbol.asyncIterator]());
  await Promise.all(watches.map((watch) => watch.next()));
  const refusal = (await first(figures).catch((error) => error)) as ConnectError;
  expect(refusal).toMatchObject({ code: Code.ResourceExhausted });
  expect(refusal.message).toContain("32 callers watch the figures");
  for (const end of ends) end.abort();
  await Promise.allSettled(watches.map((watch) => watch.next()));
  await expect
    .poll(() =>
      first(figures).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
});

test("with --console off nobody serves figures", async () => {
  const off = await startAppServer("models", { console: "off" });
  try {
    const refusal = await first(clientsOf(off.url).figures).catch((error) => error);
    expect(refusal).toMatchObject({ code: Code.Unimplemented });
  } finally {
    await off.app.close();
  }
});

test("a drain ends a watch, which is told of it first", async () => {
  const own = await startAppServer("models");
  const { figures } = clientsOf(own.url);
  const seen: boolean[] = [];
  let drained: Promise<void> | undefined;
  const ended = (async () => {
    for await (const { server } of figures.watchFigures({ interval: { seconds: 60n } })) {
      seen.push(server!.draining);
      drained ??= own.app.drain();
    }
  })();
  await expect(ended).rejects.toMatchObject({ code: Code.Unavailable });
  await drained;
  expect(seen[0]).toBe(false);
  expect(seen).toContain(true);
});

/** The first message of a watch, which ends with it: a client cancels a stream by its signal only. */
async function first(client: Client<typeof ConsoleService>, request = quick): Promise<WatchFiguresResponse> {
  const end = new AbortController();
  try {
    for await (const message of client.watchFigures(request, { signal: end.signal })) return message;
    throw new Error("the stream ended without a message");
  } finally {
    end.abort();
  }
}
