import { describe, expect, test } from "vitest";
import { type HeadRules, type PlainHead, readPlainHead } from "../../../../src/edge/http1/plain-head.ts";

const RULES: HeadRules = {
  isHot: (path) => path === "/predict" || path.startsWith("/predict/") || path.endsWith(":predict"),
  maxHeadBytes: 1000,
  maxBodyBytes: 5000,
};
const PLAIN = "POST /predict/iris HTTP/1.1\r\nHost: a:80\r\nContent-Length: 12\r\nX-A: b c \r\n\r\n";

const verdict = (text: string, start = 0) => readPlainHead(Buffer.from(text, "latin1"), start, RULES);

test("a plain head is read: path, authority, fields in small letters and in order, lengths", () => {
  const head = verdict(`xx${PLAIN}{"features"`, 2) as PlainHead;
  expect(head).toMatchObject({
    path: "/predict/iris",
    authority: "a:80",
    bodyBytes: 12,
    byteCount: PLAIN.length,
  });
  expect(head.headers.entries()).toEqual([
    ["host", "a:80"],
    ["content-length", "12"],
    ["x-a", "b c"],
  ]);
});

test("a path may have a colon, as /v1/models/iris:predict has", () => {
  const text = PLAIN.replace("/predict/iris", "/v1/models/iris:predict");
  expect(verdict(text)).toMatchObject({ path: "/v1/models/iris:predict", bodyBytes: 12 });
});

test("of a plain head each beginning asks for more, and is not another's", () => {
  for (let length = 0; length < PLAIN.length; length++) expect(verdict(PLAIN.slice(0, length))).toBe("more");
});

test("a keep-alive in any case is plain, and so is a body without octets", () => {
  const text =
    "POST /predict HTTP/1.1\r\nhost: [::1]:8080\r\ncontent-length: 0\r\nConnection: Keep-Alive\r\n\r\n";
  expect(verdict(text)).toMatchObject({ bodyBytes: 0, authority: "[::1]:8080" });
});

const head = (line: string, ...fields: string[]) => `${[line, ...fields].join("\r\n")}\r\n\r\n`;
const LINE = "POST /predict HTTP/1.1";
const HOST = "host: a";
const LENGTH = "content-length: 12";

describe("another's is", () => {
  test.each([
    ["another method", head("PUT /predict HTTP/1.1", HOST, LENGTH)],
    ["a method in small letters", head("post /predict HTTP/1.1", HOST, LENGTH)],
    ["a path that is not hot", head("POST /livez HTTP/1.1", HOST, LENGTH)],
    ["a query", head("POST /predict?a HTTP/1.1", HOST, LENGTH)],
    ["an escape", head("POST /predict/%61 HTTP/1.1", HOST, LENGTH)],
    ["absolute form", head("POST http://a/predict HTTP/1.1", HOST, LENGTH)],
    ["HTTP/1.0", head("POST /predict HTTP/1.0", HOST, LENGTH)],
    ["an empty line before it", `\r\n${head(LINE, HOST, LENGTH)}`],
    ["a bare LF", head(LINE, `${HOST}\nx: y`, LENGTH)],
    ["a bare CR", head(LINE, `${HOST}\rx: y`, LENGTH)],
    ["a folded line", head(LINE, HOST, "x: y\r\n z", LENGTH)],
    ["a space before a colon", head(LINE, HOST, "content-length : 12")],
    ["a tab behind a colon", head(LINE, HOST, "content-length:\t12")],
    ["a name with an underscore", head(LINE, HOST, "x_y: z", LENGTH)],
    ["a NUL", head(LINE, HOST, "x: \0", LENGTH)],
    ["an octet beyond ASCII", head(LINE, HOST, "x: \xe9", LENGTH)],
    ["no Host", head(LINE, LENGTH)],
    ["Host twice", head(LINE, HOST, HOST, LENGTH)],
    ["no Content-Length", head(LINE, HOST)],
    ["Content-Length twice", head(LINE, HOST, LENGTH, LENGTH)],
    ["Content-Length in a list", head(LINE, HOST, "content-length: 12, 12")],
    ["Content-Length with a sign", head(LINE, HOST, "content-length: +12")],
    ["Content-Length with a zero before it", head(LINE, HOST, "content-length: 012")],
    ["Content-Length above the limit", head(LINE, HOST, "content-length: 5001")],
    ["Transfer-Encoding", head(LINE, HOST, LENGTH, "transfer-encoding: chunked")],
    ["Expect", head(LINE, HOST, LENGTH, "expect: 100-continue")],
    ["Upgrade", head(LINE, HOST, LENGTH, "upgrade: h2c")],
    ["Connection: close", head(LINE, HOST, LENGTH, "connection: close")],
    ["Connection: keep-alive, upgrade", head(LINE, HOST, LENGTH, "connection: keep-alive, upgrade")],
    ["a content-coding", head(LINE, HOST, LENGTH, "content-encoding: gzip")],
    ["Content-Type twice", head(LINE, HOST, LENGTH, "content-type: a/b", "content-type: a/b")],
    ["too many fields", head(LINE, HOST, LENGTH, ...new Array(100).fill("x: y"))],
    [
      "a head that is too large once its fields are counted",
      head(LINE, HOST, LENGTH, ...new Array(30).fill("x: y")),
    ],
    ["a head that is too large before it ends", `${LINE}\r\n${HOST}\r\nx: ${"y".repeat(1000)}`],
    ["TLS", "\x16\x03\x01"],
    ["HTTP/2", "PRI * HTTP/2.0\r\n"],
  ])("%s", (_, text) => {
    expect(verdict(text)).toBe("other");
  });
});
