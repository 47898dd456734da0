import { expect, test } from "vitest";
import { prefersHtml } from "../../../../src/edge/console/console-access.ts";

test.each([
  [undefined, false],
  ["", false],
  ["*/*", false],
  ["application/json", false],
  ["application/json, text/plain, */*", false],
  ["text/html;q=0, */*", false],
  ["text/html", true],
  ["TEXT/HTML; charset=utf-8", true],
  ["text/*", true],
  ["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", true],
  ["text/html;q=0.5, application/json", false],
  ["text/html, application/json;q=0.5", true],
  ["application/json, text/html", false],
])("accept: %s wants a page: %s", (accept, isPage) => {
  expect(prefersHtml(accept)).toBe(isPage);
});
