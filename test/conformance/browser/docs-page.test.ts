import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileFolder } from "../../support/folders.ts";
import { keyFile, keyLine } from "../../support/keys/keyed-server.ts";
import { type AppServer, startAppServer } from "../../support/servers/app-server.ts";
import { tool } from "../tool.ts";

/** To be looked at: where they are wanted elsewhere, CONSOLE_SCREENSHOTS says so. */
const screenshots = process.env.CONSOLE_SCREENSHOTS ?? join(fileFolder(), "screenshots");

async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

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

describe("on a server with keys", () => {
  let keyed: AppServer;
  let page: Page;
  const wrong: string[] = [];
  beforeAll(async () => {
    const keys = keyFile(
      keyLine("iris-key", { id: "flowers", models: ["iris"] }),
      keyLine("census-key", { id: "people", models: ["census"] }),
    );
    keyed = await startAppServer("models", { keys: keys.path });
    page = await browser.newPage();
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) wrong.push(message.text());
    });
    page.on("pageerror", (error) => wrong.push(error.message));
  });
  afterAll(async () => {
    await page.close();
    await keyed.app.close();
  });
  const block = (operation: string) =>
    page.locator(".opblock", { has: page.locator(`[data-path="${operation}"]`) });

  test("/docs asks for a key, tells of its models, and sends it", async () => {
    await page.goto(`${keyed.url}/docs`);
    await page.getByLabel("Bearer key or token").fill("no-key");
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByText("none that the server knows").waitFor();
    await picture(page, "docs-key");
    await page.getByLabel("Bearer key or token").fill("iris-key");
    await page.getByRole("button", { name: "Use it" }).click();
    await block("/predict/iris").waitFor();
    expect(await block("/predict/census").count()).toBe(0);
    await send("/predict/iris", "200", "setosa");
    expect(await block("/predict/iris").locator(".curl-command").textContent()).toContain("Bearer iris-key");
    await picture(page, "docs-with-key");
  });

  test("Authorize shows the models of another key and sends that; Logout sends none", async () => {
    const authorize = async () => {
      await page.locator(".auth-wrapper .btn.authorize").first().click();
      return page.locator(".modal-ux");
    };
    const dialog = await authorize();
    await picture(page, "docs-authorize");
    await dialog.getByRole("button", { name: "Remove authorization" }).click();
    await dialog.locator("input").fill("census-key");
    await dialog.getByRole("button", { name: "Apply credentials" }).click();
    await dialog.locator(".close-modal").click();
    await block("/predict/census").waitFor();
    expect(await block("/predict/iris").count()).toBe(0);
    await send("/predict/census", "200", "scores");
    const again = await authorize();
    await again.getByRole("button", { name: "Remove authorization" }).click();
    await again.locator(".close-modal").click();
    await send("/predict/census", "401", "no key came");
    expect(wrong).toEqual([]);
  });

  async function send(operation: string, status: string, shown: string): Promise<void> {
    const at = block(operation);
    if ((await at.locator("button.execute").count()) === 0)
      await at.locator(".opblock-summary-control").click();
    await at.locator("button.execute").click();
    const live = at.locator(".live-responses-table tr.response", { hasText: shown });
    await live.waitFor();
    expect(await live.locator(".response-col_status").textContent()).toContain(status);
  }
});
