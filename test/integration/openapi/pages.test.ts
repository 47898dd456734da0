import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AppServer, startAppServer } from "../../support/servers/app-server.ts";

const HTML = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };
const PAGES = ["/", "/docs", "/docs/", "/v2/models/iris/docs", "/v2/models/iris/versions/1/docs"];
const FILES = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "start.js", "page.css"];

describe("pages for browsers", () => {
  let server: AppServer;
  beforeAll(async () => {
    server = await startAppServer("models");
  });
  afterAll(() => server.app.close());
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${server.url}${path}`, { headers });

  test("each page runs only the server's own files, and is shown in no other page", async () => {
    for (const path of PAGES) {
      const response = await get(path, HTML);
      const text = await response.text();
      expect([path, response.status, response.headers.get("content-type")]).toEqual([
        path,
        200,
        "text/html; charset=utf-8",
      ]);
      const policy = response.headers.get("content-security-policy")!;
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain("unsafe");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(text).not.toMatch(/<script(?! src="\/)|<style|style=|\son\w+=|https?:/);
      for (const [, file] of text.matchAll(/(?:src|href)="(\/docs\/[^"]+)"/g))
        expect((await get(file!)).status, file).toBe(200);
    }
  });

  test("the files of pages are sent, kept and refused by name", async () => {
    for (const file of FILES) {
      const response = await get(`/docs/${file}`);
      expect(response.status, file).toBe(200);
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      const etag = response.headers.get("etag")!;
      await response.arrayBuffer();
      expect((await get(`/docs/${file}`, { "if-none-match": etag })).status).toBe(304);
    }
    for (const file of ["absent.js", "constructor", "..%2Fhome-page.ts", "package.json"])
      expect((await get(`/docs/${file}`)).status, file).toBe(404);
  });

  test("/ tells programs what serves, and people by a page", async () => {
    const response = await get("/");
    expect(response.headers.get("vary")).toBe("accept");
    expect(await response.json()).toMatchObject({
      status: "alive",
      name: "assay",
      version: expect.stringMatching(/^\d/),
      state: "ready",
      models: expect.arrayContaining([
        {
          name: "iris",
          version: "1",
          state: "READY",
          reason: "",
          default: true,
          labels: [],
          docs: "/v2/models/iris/docs",
        },
      ]),
      links: { openapi: "/openapi.json", docs: "/docs" },
    });
    const page = await (await get("/", HTML)).text();
    expect(page).toContain("iris");
    expect(page).toContain('href="/docs"');
  });
});

test.each(["off", "admin-only"])("--console %s: no page is there, and programs are served", async (mode) => {
  const { app, url } = await startAppServer("models", { console: mode });
  try {
    for (const path of [...PAGES, ...FILES.map((file) => `/docs/${file}`)]) {
      const response = await fetch(`${url}${path}`, { headers: HTML });
      expect([path, response.status]).toEqual([path, 404]);
      expect(await response.text()).toContain(`--console ${mode}`);
    }
    for (const path of ["/", "/openapi.json", "/v2/models/iris/docs"])
      expect((await fetch(`${url}${path}`)).status).toBe(200);
  } finally {
    await app.close();
  }
});
