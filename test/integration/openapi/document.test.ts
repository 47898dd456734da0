import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AppServer, startAppServer } from "../../support/servers/app-server.ts";

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly example?: string }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly examples?: Record<string, { value: unknown }> }>>;
  };
}
interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

let server: AppServer;
beforeAll(async () => {
  server = await startAppServer("models");
});
afterAll(() => server.app.close());

async function documentAt(path: string): Promise<Document> {
  const response = await fetch(`${server.url}${path}`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/json");
  return (await response.json()) as Document;
}

/** The path of an operation with the examples of its places; undefined where one has none. */
function exampleUrl(path: string, { parameters = [] }: Operation): string | undefined {
  let url = path;
  for (const { name, in: place, example } of parameters) {
    if (place !== "path") continue;
    if (example === undefined) return undefined;
    url = url.replace(`{${name}}`, encodeURIComponent(example));
  }
  return url;
}

/** The scores, predictions or outputs that an answer has. */
function scoresIn(answer: unknown): unknown {
  const { scores, predictions, outputs } = answer as Record<string, unknown[] | undefined>;
  return scores ?? predictions ?? outputs;
}

describe.each(["/openapi.json", "/v2/models/census/docs", "/v2/models/iris/docs", "/v2/models/digits/docs"])(
  "%s",
  (path) => {
    test("is OpenAPI 3.1, and each of its examples is answered, where rows are sent with a score", async () => {
      const { openapi, paths } = await documentAt(path);
      expect(openapi).toMatch(/^3\.1\./);
      let scored = 0;
      for (const [at, methods] of Object.entries(paths)) {
        const { post } = methods;
        if (post === undefined) continue;
        const examples = Object.values(post.requestBody?.content["application/json"]?.examples ?? {});
        for (const { value } of examples) {
          const url = exampleUrl(at, post);
          expect(url, at).toBeDefined();
          const response = await fetch(`${server.url}${url}`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(value),
          });
          const answer = await response.json();
          expect(response.status, `${at}: ${JSON.stringify(answer)}`).toBe(200);
          if (/predict|infer|invocations|Predict$/.test(at)) {
            expect(scoresIn(answer), at).toHaveProperty("length");
            scored += 1;
          }
        }
      }
      expect(scored).toBeGreaterThanOrEqual(4);
    });

    test("each path without places, or with examples of them, answers a GET that is described", async () => {
      const { paths } = await documentAt(path);
      let asked = 0;
      for (const [at, { get }] of Object.entries(paths)) {
        const url = get === undefined ? undefined : exampleUrl(at, get);
        if (url === undefined || url.includes(".v1.")) continue;
        const response = await fetch(`${server.url}${url}`);
        await response.arrayBuffer();
        expect(response.status, url).toBe(200);
        asked += 1;
      }
      expect(asked).toBeGreaterThan(3);
    });
  },
);

test("each operation has an id of its own", async () => {
  const { paths } = await documentAt("/openapi.json");
  const ids = Object.values(paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
});

test("every resource and every unary procedure that is served is described", async () => {
  const { paths } = await documentAt("/openapi.json");
  const served = new Set<string>();
  let services: string[] = [];
  for (const path of ["/nowhere", "/v1/nowhere", "/v2/nowhere", "/docs/nowhere/at/all", "/predict/a/b/c/d"]) {
    const response = await fetch(`${server.url}${path}`);
    const { message, error = message } = (await response.json()) as { message?: string; error?: string };
    for (const [, resource] of error!.matchAll(/(?:GET|POST) (\/[^\s,]*)/g)) served.add(resource!);
    services = /and the services (.*) at \/\{service\}/.exec(error!)?.[1]?.split(", ") ?? services;
  }
  const described = Object.keys(paths);
  // The others have streams alone, which plain HTTP does not describe.
  for (const service of services.filter((name) => !/reflection|ConsoleService/.test(name)))
    expect(described.filter((path) => path.startsWith(`/${service}/`)).length, service).toBeGreaterThan(0);
  expect(served.size).toBeGreaterThan(40);
  const undescribed = [...served].filter((path) => !described.includes(path) && !UNDESCRIBED.test(path));
  expect(undescribed).toEqual([]);
});

/** Pages, what is answered with why it is not served, and what loads models where callers may. */
const UNDESCRIBED =
  /^\/$|^\/docs|^\/console|sharedmemory|trace\/setting|logging|generate|:(classify|explain|regress)$|\/(un)?load$|\/\{repository\}\/|…/;

test("whoever has the document is told so, in either coding", async () => {
  const url = `${server.url}/openapi.json`;
  for (const coding of ["identity", "gzip"]) {
    const headers = { "accept-encoding": coding };
    const first = await fetch(url, { headers });
    const body = Buffer.from(await first.arrayBuffer());
    const etag = first.headers.get("etag")!;
    expect(first.headers.get("vary")).toContain("accept-encoding");
    const again = await fetch(url, { headers: { ...headers, "if-none-match": `"other", W/${etag}` } });
    expect(again.status).toBe(304);
    expect(again.headers.get("etag")).toBe(etag);
    expect((await again.arrayBuffer()).byteLength).toBe(0);
    const digest = createHash("sha256").update(body).digest("base64url").slice(0, 27);
    expect(etag).toBe(coding === "gzip" ? `"${digest}-gzip"` : `"${digest}"`);
  }
});

test("HEAD tells the length, and 405 the methods", async () => {
  const url = `${server.url}/openapi.json`;
  const head = await fetch(url, { method: "HEAD", headers: { "accept-encoding": "identity" } });
  const { byteLength } = await (await fetch(url)).arrayBuffer();
  expect(Number(head.headers.get("content-length"))).toBe(byteLength);
  const post = await fetch(url, { method: "POST" });
  expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  for (const [path, allow] of [
    ["/assay.v1.ScoringService/Predict", "POST, GET"],
    ["/grpc.health.v1.Health/Check", "POST"],
  ]) {
    const put = await fetch(`${server.url}${path}`, { method: "PUT", body: "{}" });
    expect([put.status, put.headers.get("allow")]).toEqual([405, allow]);
  }
});

test("the documents of a model and of one of its versions name its columns; others answer as their protocol does", async () => {
  const { info, paths, components } = await documentAt("/v2/models/census/docs");
  expect(info.title).toBe("census");
  expect(Object.keys(paths)).toContain("/predict/census");
  expect(components.schemas["models.census.Row"]).toMatchObject({
    properties: { age: { type: "integer" }, workclass: { type: "string" } },
    additionalProperties: false,
  });
  const version = await documentAt("/v2/models/census/versions/1/docs");
  expect(Object.keys(version.paths)).toContain("/v2/models/census/versions/1/infer");
  const absent = await fetch(`${server.url}/v2/models/cencus/docs`);
  expect(absent.status).toBe(404);
  expect(await absent.json()).toEqual({ error: expect.stringContaining("cencus") });
});

test("a compressed document is the plain one", async () => {
  const { hostname, port } = new URL(server.url);
  const { request } = await import("node:http");
  const compressed = await new Promise<Buffer>((resolve, reject) => {
    const options = {
      hostname,
      port,
      path: "/openapi.json",
      headers: { "accept-encoding": "br, gzip;q=0.5" },
    };
    request(options, async (response) => {
      expect(response.headers["content-encoding"]).toBe("gzip");
      resolve(Buffer.concat(await response.toArray()));
    })
      .on("error", reject)
      .end();
  });
  const plain = await (await fetch(`${server.url}/openapi.json`)).text();
  expect(gunzipSync(compressed).toString()).toBe(plain);
});

test.each([
  ["POST", "/v1/models/iris:predct", 405, "/v1/models/iris:predict"],
  ["POST", "/v1/models/iris", 405, "/v1/models/iris:predict"],
  ["POST", "/v1/models/iris/versions/1:prdict", 405, "/v1/models/iris/versions/1:predict"],
  ["POST", "/v2/models/iris/infr", 404, "/v2/models/iris/infer"],
  ["POST", "/v2/models/iris", 405, "/v2/models/iris/infer"],
  ["GET", "/v2/helth/ready", 404, "/v2/health/ready"],
  ["POST", "/predct/iris", 404, "/predict/iris"],
])("%s %s is refused with the path that was meant", async (method, path, status, meant) => {
  const response = await fetch(`${server.url}${path}`, { method, ...(method === "POST" && { body: "{}" }) });
  expect(response.status).toBe(status);
  const { message, error = message } = (await response.json()) as { message?: string; error?: string };
  expect(error).toContain(`did you mean "${meant}"?`);
});
