import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Edge } from "../../../src/edge/edge.ts";
import { rawConnection } from "../../support/clients/raw-connection.ts";
import { startEdge } from "../../support/servers/fake-services.ts";

const LIMIT = 50_000;
const LARGE = 20_000_000;
const head = (path: string, length: number, more = "") =>
  `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n${more}\r\n`;

describe.each(["assay", "node"] as const)("refusals before the body, read by %s", (http1Requests) => {
  let edge: Edge;
  let port: number;

  beforeAll(async () => {
    ({ edge, port } = await startEdge({ http1Requests, limits: { maxMessageBytes: LIMIT } }));
  });
  afterAll(() => edge.close());

  test.each([
    ["/predict", 413],
    ["/assay.v1.ScoringService/Predict", 429],
  ])(
    "over HTTP/1.1 %s answers a client that reads only once it has sent 400 times the limit",
    async (path, status) => {
      const raw = await rawConnection(port);
      raw.write(head(path, LARGE));
      raw.socket.pause();
      await new Promise<void>((resolve) => raw.socket.write("x".repeat(LARGE), () => resolve()));
      raw.socket.resume();
      await raw.until((text) => text.startsWith(`HTTP/1.1 ${status} `));
      raw.write("GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
      expect((await raw.closed()).toString()).toContain('{"status":"live"}');
    },
  );

  test("who expects 100-continue is refused by its head alone, without being asked for the body", async () => {
    const raw = await rawConnection(port);
    raw.write(head("/predict", LARGE, "expect: 100-continue\r\n"));
    expect(await raw.until((text) => text.includes("\r\n\r\n"))).toMatch(/^HTTP\/1\.1 413 /);
    raw.socket.destroy();
  });

  test("who expects 100-continue is asked for a body that may come", async () => {
    const raw = await rawConnection(port);
    const body = '{"modelName":"m","features":[1]}';
    raw.write(head("/assay.v1.ScoringService/Predict", body.length, "expect: 100-continue\r\n"));
    await raw.until((text) => text.startsWith("HTTP/1.1 100 Continue\r\n\r\n"));
    raw.write(body);
    await raw.until((text) => text.includes("\r\n\r\nHTTP/1.1 200 "));
    raw.socket.destroy();
  });
});
