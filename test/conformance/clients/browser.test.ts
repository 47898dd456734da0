import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HTTP2_ENGINES } from "../../reference/http2-engines.ts";
import { run } from "../../support/clients/command.ts";
import { fileFolder } from "../../support/folders.ts";
import { type AppServer, startAppServer } from "../../support/servers/app-server.ts";
import { ROOT } from "../server-process.ts";
import { tool } from "../tool.ts";

const PACK_MS = 300_000;
const folder = fileFolder();
let cleartext: AppServer;
const encrypted = new Map<string, AppServer>();
let script: string;

/** Bundles the page against the packed package, as a user's own build would. */
async function bundlePage(): Promise<string> {
  const packed = await run("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: ROOT,
    timeoutMs: PACK_MS,
  });
  expect(packed, packed.stderr).toMatchObject({ status: 0 });
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "assay"), { recursive: true });
  const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz"))!);
  await run("tar", ["-xzf", tarball, "-C", join(modules, "assay"), "--strip-components=1"]);
  for (const scope of ["@bufbuild", "@connectrpc"])
    symlinkSync(join(ROOT, "node_modules", scope), join(modules, scope));
  const page = join(folder, "page.ts");
  await run("cp", [join(ROOT, "test/conformance/browser/page.ts"), page]);
  const bundle = await rolldown({
    input: page,
    cwd: folder,
    platform: "browser",
    resolve: { symlinks: false },
  });
  const { output } = await bundle.generate({ format: "esm", codeSplitting: false });
  return output[0].code;
}

beforeAll(async () => {
  script = await bundlePage();
  const models = join(ROOT, "models");
  const fixture = (name: string) => join(ROOT, "test/fixtures/tls", name);
  cleartext = await startAppServer(models);
  for (const http2Engine of HTTP2_ENGINES) {
    const tls = { "tls-cert": fixture("localhost-cert.pem"), "tls-key": fixture("localhost-key.pem") };
    encrypted.set(http2Engine, await startAppServer(models, tls, { http2Engine }));
  }
}, PACK_MS);
afterAll(async () => {
  await cleartext?.app.close();
  for (const { app } of encrypted.values()) await app.close();
});

test("Chromium with connect-web calls over HTTP/1.1 and over HTTP/2 with TLS, on both engines", async () => {
  const [assay, node] = [...encrypted.values()].map(({ address }) => `https://${address}`) as [
    string,
    string,
  ];
  const report = await visit([cleartext.url, assay, node]);
  const each = {
    labels: ["setosa"],
    streamed: ["1 response", "2 response", "3 response"],
    refusal: "NotFound",
  };
  const results = { "Connect JSON": each, "Connect binary": each, "Connect GET": each, "gRPC-Web": each };
  expect(report).toEqual({
    [cleartext.url]: { results, versions: ["http/1.1"] },
    [assay]: { results, versions: ["h2"] },
    [node]: { results, versions: ["h2"] },
  });
});

/** Opens the page in a headless Chromium, with the servers in its address, and answers what it reports. */
async function visit(servers: string[]): Promise<unknown> {
  let report = (_body: string) => {};
  const reported = new Promise<string>((resolve) => {
    report = resolve;
  });
  const pages = await servePage(report);
  const query = servers.map((server) => `server=${encodeURIComponent(server)}`).join("&");
  const browser = startBrowser(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/?${query}`);
  const ended = once(browser, "close");
  try {
    const died = ended.then(() => Promise.reject(new Error("Chromium ended before it reported")));
    died.catch(() => {});
    return JSON.parse(await Promise.race([reported, died]));
  } finally {
    browser.kill("SIGTERM");
    await ended;
    pages.closeAllConnections();
    pages.close();
  }
}

async function servePage(report: (body: string) => void): Promise<Server> {
  const pages = createServer((request, response) => {
    if (request.url === "/page.js") {
      response.setHeader("content-type", "text/javascript").end(script);
    } else if (request.url === "/report") {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      request.on("end", () => {
        response.end();
        report(body);
      });
    } else {
      response
        .setHeader("content-type", "text/html")
        .end('<!doctype html><script type="module" src="/page.js"></script>');
    }
  });
  pages.listen(0, "127.0.0.1");
  await once(pages, "listening");
  return pages;
}

function startBrowser(url: string): ChildProcess {
  const flags = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    // The certificate of the tests is signed by itself.
    "--ignore-certificate-errors",
    `--user-data-dir=${join(folder, "profile")}`,
    "--remote-debugging-port=0",
  ];
  return spawn(tool("chromium"), [...flags, url], { stdio: "ignore" });
}
