import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Edge } from "../../../src/edge/edge.ts";
import { rawConnection } from "../../support/clients/raw-connection.ts";
import { startEdge } from "../../support/servers/fake-services.ts";

const SCORING = "assay.v1.ScoringService";
const JSON_TYPE = { "content-type": "application/json" };
let edge: Edge;
let port: number;

beforeAll(async () => {
  ({ edge, port } = await startEdge());
});
afterAll(() => edge.close());

/** Sends a request line and its fields as they are. */
async function send(requestLine: string, body = "", fields = ""): Promise<string> {
  const raw = await rawConnection(port);
  raw.write(
    `${requestLine} HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\nconnection: close\r\n${fields}\r\n${body}`,
  );
  return (await raw.closed()).toString();
}

const post = (path: string, body: string, headers: Record<string, string> = JSON_TYPE) =>
  fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body, headers });

describe("targets in absolute form are served (RFC 9112, 3.2.2)", () => {
  test.each([
    ["GET http://example.org/livez", "", '"live"'],
    ["GET HTTP://example.org:8080/health?x=1", "", '"ok"'],
    ["POST http://example.org/predict", '{"features":[1,2]}', '"scores":[3]'],
    ["POST https://example.org/predict/sum", '{"features":[1,2]}', '"scores":[3]'],
    [`POST http://example.org/${SCORING}/Predict`, '{"features":[4]}', '"scores":[4]'],
    [
      `GET http://example.org/${SCORING}/Predict?encoding=json&message=${encodeURIComponent('{"features":[5]}')}`,
      "",
      '"scores":[5]',
    ],
  ])("%s", async (line, body, answer) => {
    const response = await send(line, body, "content-type: application/json\r\n");
    expect(response).toMatch(/^HTTP\/1\.1 200 /);
    expect(response).toContain(answer);
  });

  test("a path that nobody serves is named without its host", async () => {
    expect(await send("GET http://example.org/nothing")).toContain("nothing is served at /nothing;");
  });

  test("one without a path is that of the root", async () => {
    expect(await send("GET http://example.org")).toContain('{"status":"alive",');
  });
});

test.each(["/livez/", "/health/", "/readyz//"])("a slash at the end of %s does no harm", async (path) => {
  expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(200);
});

test.each(["/predict/", "/predict/sum/"])("a slash at the end of %s does no harm", async (path) => {
  const response = await post(path, '{"features":[1,2]}');
  expect(await response.json()).toMatchObject({ scores: [3] });
});

describe("a path that nobody serves is answered with what was meant", () => {
  test.each([
    [`/${SCORING}/Predcit`, 'has no method "Predcit"; did you mean "Predict"?'],
    [`/${SCORING}/predict_rows`, 'did you mean "PredictRows"?; it has Predict, PredictStream, PredictRows'],
    [
      "/assay.v1.ScoringServce/Predict",
      'no service "assay.v1.ScoringServce"; did you mean "assay.v1.ScoringService"?',
    ],
    [`/${SCORING}/Predict/`, `without the slash at its end /${SCORING}/Predict is`],
    ["/predit/iris", 'did you mean "/predict/iris"?'],
    ["/healthz", 'did you mean "/health"?'],
    ["/ready", 'did you mean "/readyz"?'],
    ["/x", "served at /x; there is POST /predict, POST /predict/{model}, "],
  ])("%s", async (path, hint) => {
    const response = await post(path, "{}");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      code: "unimplemented",
      message: expect.stringContaining(hint),
    });
  });

  test("a long path is cut, and costs no time", async () => {
    const started = performance.now();
    const response = await post(`/${SCORING}/${"Predict".repeat(2000)}`, "{}");
    const { message } = (await response.json()) as { message: string };
    expect(message.length).toBeLessThan(700);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe("415 tells the type that came and those that are taken", () => {
  test.each([
    [`/${SCORING}/Predict`, "application/x-www-form-urlencoded", "application/json, application/proto"],
    [`/${SCORING}/PredictRows`, "application/json", "application/connect+json, application/connect+proto"],
  ])("%s with %s", async (path, type, taken) => {
    const response = await post(path, "a=1", { "content-type": type });
    expect(response.status).toBe(415);
    const text = await response.text();
    expect(text).toContain(`content type "${type}" is not one that ${path} takes: ${taken}`);
  });

  test("no type at all", async () => {
    const response = await send(`POST /${SCORING}/Predict`, "{}");
    expect(response).toMatch(/^HTTP\/1\.1 415 /);
    expect(response).toContain("no content type came, which is not one that");
  });
});
