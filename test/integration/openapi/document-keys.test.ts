/** The documents of a server that asks who calls: what they say of it is what it does. */
import { expect, test } from "vitest";
import { openapi } from "../../../src/cli/openapi.ts";
import { keyFile, keyLine, sendWith } from "../../support/keys/keyed-server.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

interface Operation {
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, { readonly $ref: string }>>;
}
interface Document {
  readonly security: readonly object[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly securitySchemes?: object; readonly responses: object };
}

const keys = keyFile(
  keyLine("iris-key", { id: "flowers", models: ["iris"] }),
  keyLine("census-key", { id: "people", models: ["census"] }),
  keyLine("admin-key", { id: "admin", models: ["*"], admin: true }),
);
const flags = { keys: keys.path, "model-control": "explicit", "load-model": "*" };
const { url } = await fileServer("models", flags);

async function documentOf(key: string, path = "/openapi.json"): Promise<Document> {
  const { status, text } = await sendWith(url, key)(path);
  expect(status).toBe(200);
  return JSON.parse(text) as Document;
}

test("a key is declared, and every operation but probes wants it", async () => {
  const document = await documentOf("admin-key");
  expect(document.components.securitySchemes).toMatchObject({ bearer: { type: "http", scheme: "bearer" } });
  expect(document.security).toEqual([{ bearer: [] }]);
  let [open, closed] = [0, 0];
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { security, responses }] of Object.entries(methods)) {
      const query = method === "get" && path.includes(".v1.") ? "?connect=v1&encoding=json&message={}" : "";
      const { status, text } = await sendWith(url, undefined)(
        `${path.replaceAll(/\{\w+\}/g, "iris")}${query}`,
        method === "post" ? {} : undefined,
      );
      if (security === undefined) {
        closed += 1;
        expect([method, path, status]).toEqual([method, path, 401]);
        expect(text).not.toMatch(/census|digits/);
        expect(Object.keys(responses)).toEqual(expect.arrayContaining(["401", "403"]));
      } else {
        open += 1;
        expect(security).toEqual([]);
        expect([path, status]).not.toEqual([path, 401]);
      }
    }
  }
  expect([open > 6, closed > 40]).toEqual([true, true]);
});

test("a caller is told of the models that it may use alone, and whoever may not load of no loading", async () => {
  const own = await documentOf("iris-key");
  const paths = Object.keys(own.paths);
  expect(paths).toContain("/predict/iris");
  expect(JSON.stringify(own)).not.toMatch(/census|digits|housing/);
  expect(paths.filter((path) => path.includes("/load"))).toEqual([]);
  expect(Object.keys((await documentOf("census-key")).paths)).toContain("/predict/census");
  const admins = Object.keys((await documentOf("admin-key")).paths);
  expect(admins).toEqual(expect.arrayContaining(["/predict/iris", "/v2/repository/models/{model}/load"]));
  expect((await sendWith(url, "iris-key")("/v2/models/census/docs")).status).toBe(403);
  expect((await documentOf("iris-key", "/v2/models/iris/docs")).security).toEqual([{ bearer: [] }]);
});

test("/metrics wants no key where the server says so", async () => {
  const open = await fileServer("models/iris", { keys: keys.path, "metrics-without-key": "true" });
  const { text } = await sendWith(open.url, "admin-key")("/openapi.json");
  const { paths } = JSON.parse(text) as Document;
  expect(paths["/metrics"]!.get!.security).toEqual([]);
});

test("assay openapi with the same settings writes the document that an admin reads", async () => {
  let written = "";
  const stdout = {
    write(text: string) {
      written += text;
    },
  };
  const given = ["--models", "models", "--keys", keys.path, "--model-control", "explicit"];
  expect(await openapi(given, {}, { stdout, stderr: process.stderr })).toBe(0);
  expect(JSON.parse(written)).toEqual(await documentOf("admin-key"));
  written = "";
  await openapi(["--models", "models"], { ASSAY_KEYS: keys.path }, { stdout, stderr: process.stderr });
  expect(JSON.parse(written).security).toEqual([{ bearer: [] }]);
});

test("the frame of each page comes without a key, whether there is such a model or not, and the document does not", async () => {
  const stranger = sendWith(url, undefined);
  const html = { headers: { accept: "text/html" } };
  for (const path of ["/docs", "/v2/models/iris/docs", "/v2/models/absent/docs"]) {
    const page = await stranger(path, undefined, html);
    expect([path, page.status]).toEqual([path, 200]);
    expect(page.text).not.toMatch(/census|housing/);
  }
  expect((await stranger("/docs/start.js")).status).toBe(200);
  for (const path of ["/openapi.json", "/v2/models/iris/docs", "/v2/models/absent/docs"]) {
    const refused = await stranger(path);
    expect([path, refused.status]).toEqual([path, 401]);
    expect(refused.text).toContain("authorization: Bearer");
  }
});
