import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { letOneWait, quietTurn } from "../../../src/edge/listen/gentle-close.ts";
import { writeModels } from "../../support/models/hanging-models.ts";
import { startAppServer } from "../../support/servers/app-server.ts";
import { freePort } from "../../support/servers/server-process.ts";

test("a quiet turn is one in which no connection was taken, however long they come", async () => {
  let taken = 0;
  const server = createServer((socket) => {
    taken++;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sockets = Array.from({ length: 50 }, () => connect(port, "127.0.0.1"));
  for (const socket of sockets) socket.on("error", () => {});
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  await quietTurn(() => taken);
  // All that the system had taken before was handed over.
  expect(taken).toBe(50);
});

test("a loop that is never quiet is waited for half a second at most", async () => {
  let taken = 0;
  const began = performance.now();
  await quietTurn(() => taken++);
  const took = performance.now() - began;
  expect(took).toBeGreaterThanOrEqual(500);
});

/** Begins so many connections at once, all before this turn ends; how each ended, or `connected`. */
function connectAtOnce(port: number, count: number): Promise<string[]> {
  const outcomes = Array.from({ length: count }, () => {
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    return new Promise<string>((resolve) => {
      socket.once("connect", () => resolve("connected"));
      socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code ?? "none"));
    });
  });
  return Promise.all(outcomes);
}

test("a listener that closes while nobody accepts resets one connection, and the others are refused", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  letOneWait(server);
  const outcomes = connectAtOnce((server.address() as AddressInfo).port, 20);
  // Node asks the system for them when this turn's code is through; nobody accepts before the listener is closed.
  process.nextTick(() => server.close());
  const others = (await outcomes).filter((outcome) => outcome !== "ECONNREFUSED");
  expect(others).toEqual(["ECONNRESET"]);
});

test("what asks for a connection as a drain begins is served or refused, and not reset", async () => {
  const { folder } = writeModels({});
  const { app } = await startAppServer(folder, {});
  const drained = app.drain();
  const outcomes = await connectAtOnce(app.address.port, 20);
  await drained;
  expect(new Set(outcomes)).toEqual(new Set(["connected", "ECONNREFUSED"]));
  expect(outcomes.filter((outcome) => outcome === "connected").length).toBeLessThan(10);
});

test.each(["1", "2"])(
  "with --listen-when-ready nobody is taken until every model has settled, with edges %s",
  async (edges) => {
    const port = String(await freePort());
    const { folder } = writeModels({});
    const refused = () =>
      fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ status }) => status,
        ({ cause }: { cause: NodeJS.ErrnoException }) => cause.code,
      );
    const statuses = new Set<unknown>();
    let isUp = false;
    const asking = (async () => {
      while (!isUp) statuses.add(await refused());
    })();
    const { app } = await startAppServer(folder, { port, edges, "listen-when-ready": "true" });
    onTestFinished(() => app.close());
    const answers = await Promise.all(Array.from({ length: 20 }, refused));
    isUp = true;
    await asking;
    expect(answers).toEqual(Array(20).fill(200));
    statuses.delete(200);
    expect([...statuses]).toEqual(["ECONNREFUSED"]);
  },
);
