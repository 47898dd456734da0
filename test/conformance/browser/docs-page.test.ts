import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AppServer, startAppServer } from "../../support/servers/app-server.ts";
import { tool } from "../tool.ts";

let server: AppServer;
let browser: Browser;
beforeAll(async () => {
  server = await startAppServer("models");
  browser = await chromium.launch({
    executablePath: tool("chromium"),
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
});
afterAll(async () => {
  await browser?.close();
  await server?.app.close();
});

describe.each([
  { path: "/docs", model: "iris", answer: '"setosa"' },
  { path: "/v2/models/census/docs", model: "census", answer: '"scores"' },
])("$path in Chromium", ({ path, model, answer }) => {
  let page: Page;
  const wrong: string[] = [];
  beforeAll(async () => {
    page = await browser.newPage();
    page.on("console", (message) => {
      if (message.type() === "error" || message.text().includes("Content Security Policy"))
        wrong.push(message.text());
    });
    page.on("pageerror", (error) => wrong.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url) && !request.url().startsWith("data:"))
        wrong.push(`called ${request.url()}`);
    });
    await page.goto(`${server.url}${path}`);
  });
  afterAll(async () => {
    await page.close();
  });

  test.each([
    [`/predict/${model}`, answer],
    [`/v2/models/${model}/infer`, '"outputs"'],
    [`/v1/models/${model}:predict`, '"predictions"'],
    [`/invocations/${model}`, '"predictions"'],
  ])("sends the example of %s as it stands there and shows its answer", async (operation, shown) => {
    const block = page.locator(".opblock", { has: page.locator(`[data-path="${operation}"]`) });
    await block.locator(".opblock-summary-control").click();
    await block.locator("button.execute").click();
    const live = block.locator(".live-responses-table");
    await live.waitFor();
    expect(await live.locator("tr.response .response-col_status").textContent()).toContain("200");
    expect(await live.locator("tr.response .response-col_description").textContent()).toContain(shown);
    expect(wrong).toEqual([]);
  });
});

test("the page at / lists the models without scripts too, and leads to their pages", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  try {
    const page = await context.newPage();
    await page.goto(`${server.url}/`);
    expect(await page.locator("tbody tr").count()).toBe(4);
    expect(await page.getByRole("link", { name: "iris" }).getAttribute("href")).toBe("/v2/models/iris/docs");
  } finally {
    await context.close();
  }
});
