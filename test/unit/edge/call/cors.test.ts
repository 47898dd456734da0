import { expect, test } from "vitest";
import { corsFields, isPreflight, preflightFields } from "../../../../src/edge/call/cors.ts";
import { fieldList } from "../../../../src/edge/call/field-list.ts";

const request = (...fields: string[]) => fieldList(fields);

test("without an origin nothing is added", () => {
  expect(corsFields(request(), ["*"])).toEqual([]);
});

test("an origin off the list is told only that the answer depends on it", () => {
  const asked = request("origin", "https://a.example", "access-control-request-method", "POST");
  expect(preflightFields(asked, ["https://b.example"])).toEqual([["vary", "origin"]]);
});

test("OPTIONS is a preflight only with the method it asks for", () => {
  expect(isPreflight("OPTIONS", request("access-control-request-method", "POST"))).toBe(true);
  expect(isPreflight("OPTIONS", request())).toBe(false);
  expect(isPreflight("POST", request("access-control-request-method", "POST"))).toBe(false);
});

test("asked names that are no field names are not echoed", () => {
  const asked = request("origin", "https://a.example", "access-control-request-headers", "x\u0001y");
  const allowed = new Map(preflightFields(asked, ["*"])).get("access-control-allow-headers")!;
  expect(allowed).toContain("content-type");
  expect(allowed).not.toContain("\u0001");
});
