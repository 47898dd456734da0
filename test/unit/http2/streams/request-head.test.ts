import { expect, test } from "vitest";
import { requestHead, trailerFault } from "../../../../src/http2/streams/request-head.ts";

type Fields = [string, string][];
const decoded = (fields: Fields) => ({
  names: fields.map(([name]) => name),
  values: fields.map(([, value]) => value),
  listBytes: 0,
  truncated: false,
});
const PSEUDO: Fields = [
  [":method", "POST"],
  [":scheme", "https"],
  [":path", "/a?b"],
  [":authority", "host:1"],
];
const head = (fields: Fields) => requestHead(decoded(fields));

test("a request is read, repeated fields kept in order", () => {
  const request = head([
    ...PSEUDO,
    ["content-length", "12"],
    ["x", "1"],
    ["y", "2"],
    ["x", "3"],
    ["te", "trailers"],
  ]);
  expect(request).toMatchObject({
    method: "POST",
    path: "/a?b",
    authority: "host:1",
    contentLength: 12,
    malformed: undefined,
  });
  expect(request.headers.get("x")).toBe("1");
  expect(request.headers.getAll("x")).toEqual(["1", "3"]);
  expect(request.headers.get("z")).toBeUndefined();
  expect([...request.headers.entries()].map(([name]) => name)).toEqual([
    "content-length",
    "x",
    "y",
    "x",
    "te",
  ]);
});

test("host stands in for a missing :authority", () => {
  expect(head([...PSEUDO.slice(0, 3), ["host", "h"]])).toMatchObject({
    authority: "h",
    malformed: undefined,
  });
});

test("OPTIONS * and CONNECT have forms of their own", () => {
  expect(
    head([
      [":method", "OPTIONS"],
      [":scheme", "http"],
      [":path", "*"],
    ]).malformed,
  ).toBeUndefined();
  expect(
    head([
      [":method", "CONNECT"],
      [":authority", "h:1"],
    ]).malformed,
  ).toBeUndefined();
});

test.each<[string, Fields]>([
  ["no :method", PSEUDO.slice(1)],
  ["no :scheme", [PSEUDO[0]!, PSEUDO[2]!]],
  ["no :path", PSEUDO.slice(0, 2)],
  ["an empty :path", [...PSEUDO.slice(0, 2), [":path", ""]]],
  ["a :path without a slash", [...PSEUDO.slice(0, 2), [":path", "a"]]],
  ["a pseudo-header twice", [...PSEUDO, [":path", "/"]]],
  ["an unknown pseudo-header", [...PSEUDO, [":protocol", "websocket"]]],
  ["a response's pseudo-header", [...PSEUDO, [":status", "200"]]],
  ["a pseudo-header after a field", [...PSEUDO.slice(0, 3), ["x", "1"], [":authority", "h"]]],
  ["an upper-case name", [...PSEUDO, ["X", "1"]]],
  ["an empty name", [...PSEUDO, ["", "1"]]],
  ["a line break in a value", [...PSEUDO, ["x", "1\n2"]]],
  ["a value that starts with a space", [...PSEUDO, ["x", " 1"]]],
  ["a connection field", [...PSEUDO, ["connection", "close"]]],
  ["transfer-encoding", [...PSEUDO, ["transfer-encoding", "chunked"]]],
  ["te other than trailers", [...PSEUDO, ["te", "gzip"]]],
  ["two different lengths", [...PSEUDO, ["content-length", "1"], ["content-length", "2"]]],
  ["a length that is no number", [...PSEUDO, ["content-length", "+1"]]],
  ["another host than :authority", [...PSEUDO, ["host", "evil"]]],
  [
    "CONNECT with a path",
    [
      [":method", "CONNECT"],
      [":authority", "h"],
      [":path", "/"],
    ],
  ],
  ["extended CONNECT", [[":method", "CONNECT"], [":protocol", "websocket"], ...PSEUDO.slice(1)]],
])("%s is malformed", (_, fields) => {
  expect(head(fields).malformed).toBeTypeOf("string");
});

test("trailers are fields without pseudo-headers", () => {
  expect(trailerFault(decoded([["x", "1"]]))).toBeUndefined();
  expect(trailerFault(decoded([[":path", "/"]]))).toContain(":path");
  expect(trailerFault(decoded([["connection", "close"]]))).toContain("connection");
});
