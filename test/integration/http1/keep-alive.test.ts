import { describe, expect, test } from "vitest";
import { type RawConnection, rawConnection } from "../../support/clients/raw-connection.ts";
import { testedEdge } from "../../support/servers/tested-servers.ts";

const PREDICT = '{"features":[1,2]}';
const request = (path = "/predict", body = PREDICT) =>
  `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

/** A keep-alive connection that was answered once. */
async function keptAlive(port: number): Promise<RawConnection> {
  const raw = await rawConnection(port, true);
  raw.write(request());
  await raw.until((text) => text.includes('"scores":[3]'));
  expect(raw.received().toString().toLowerCase()).not.toContain("connection: close");
  return raw;
}

/** Whether the peer ended the connection by FIN, not by a reset. */
function ending(raw: RawConnection): Promise<"end" | "reset"> {
  return new Promise((resolve) => {
    raw.socket.once("end", () => resolve("end"));
    raw.socket.once("error", () => resolve("reset"));
  });
}

const answers = (raw: RawConnection) => raw.received().toString().split("HTTP/1.1 200 OK").length - 1;

const READERS = ["assay", "node"] as const;

describe.each(READERS)("keep-alive connections over the end of the server, read by %s", (http1Requests) => {
  test("from the announcement on each answer says connection: close, and the connection then ends by FIN", async () => {
    const { edge, port } = await testedEdge({ http1Requests });
    const raw = await keptAlive(port);
    edge.announceDrain();
    const end = ending(raw);
    raw.write(request());
    const text = await raw.until((all) => all.split('"scores"').length === 3);
    expect(text.slice(text.lastIndexOf("HTTP/1.1")).toLowerCase()).toContain("connection: close");
    expect(await end).toBe("end");
    raw.socket.end();
    await raw.closed();
  });

  test("a new connection is served in the grace, and told as well", async () => {
    const { edge, port } = await testedEdge({ http1Requests });
    edge.announceDrain();
    const raw = await rawConnection(port);
    raw.write(request());
    const text = (await raw.closed()).toString();
    expect(text).toContain('"scores":[3]');
    expect(text.toLowerCase()).toContain("connection: close");
  });

  test("an idle connection stays for a call that is on its way when the drain begins", async () => {
    const { edge, port } = await testedEdge({ http1Requests });
    const raw = await keptAlive(port);
    const drained = edge.drain(20_000);
    const end = ending(raw);
    raw.write(request());
    await raw.until((all) => all.split('"scores"').length === 3);
    expect(await end).toBe("end");
    raw.socket.end();
    expect(await drained).toBe(true);
  });

  test("a connection that stays idle, and one that never said a word, end by FIN and do not hold the drain up", async () => {
    const { edge, port } = await testedEdge({ http1Requests });
    const idle = await keptAlive(port);
    const silent = await rawConnection(port, true);
    const ends = Promise.all([ending(idle), ending(silent)]);
    const drained = edge.drain(20_000);
    expect(await ends).toEqual(["end", "end"]);
    for (const raw of [idle, silent]) raw.socket.end();
    expect(await drained).toBe(true);
  });

  test("a request of which a part has come is answered after the drain has begun", async () => {
    const { edge, port } = await testedEdge({ http1Requests });
    const raw = await keptAlive(port);
    const idle = await keptAlive(port);
    const whole = request();
    raw.write(whole.slice(0, 20));
    const closed = edge.drain(20_000);
    // Who is idle has been let go.
    expect(await ending(idle)).toBe("end");
    idle.socket.end();
    raw.write(whole.slice(20));
    const end = ending(raw);
    const text = await raw.until((all) => all.split('"scores"').length === 3);
    expect(text.toLowerCase()).toContain("connection: close");
    expect(await end).toBe("end");
    raw.socket.end();
    expect(await closed).toBe(true);
  });

  test("what a peer sends behind the last answer does not turn its end into a reset", async () => {
    const { edge, port } = await testedEdge({ http1Requests });
    const raw = await keptAlive(port);
    edge.announceDrain();
    const end = ending(raw);
    raw.write(request() + request() + request());
    await raw.until((all) => all.toLowerCase().includes("connection: close"));
    raw.write(request());
    expect(await end).toBe("end");
    raw.socket.end();
    await raw.closed();
  });
});

describe.each(READERS)("pipelined requests, read by %s", (http1Requests) => {
  test("are answered in their order, eight of them at a time", async () => {
    const { port, scoring } = await testedEdge({ http1Requests });
    const raw = await rawConnection(port);
    raw.write(request("/predict/hang").repeat(20));
    await expect.poll(() => scoring.hanging.size).toBe(8);
    scoring.release();
    await expect.poll(() => answers(raw)).toBe(8);
    expect(scoring.calls.length).toBe(16);
    scoring.release();
    await expect.poll(() => answers(raw)).toBe(16);
    scoring.release();
    await expect.poll(() => answers(raw)).toBe(20);
    raw.socket.destroy();
    await raw.closed();
  });

  test("those of a peer that goes away are not begun", async () => {
    const { edge, port, scoring } = await testedEdge({ http1Requests });
    const raw = await rawConnection(port);
    raw.write(request("/predict/hang").repeat(20));
    await expect.poll(() => scoring.hanging.size).toBe(8);
    raw.socket.destroy();
    await expect.poll(() => scoring.hanging.size).toBe(0);
    await expect.poll(() => edge.connectionCount).toBe(0);
    expect(scoring.calls.length).toBe(8);
  });
});
