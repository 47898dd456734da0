import fc from "fast-check";
import { expect, test } from "vitest";
import { Http1Answers } from "../../../../src/load/connection/http1-answers.ts";

interface Seen {
  readonly status: number;
  readonly body: string;
  readonly type: string | undefined;
  readonly mayGoOn: boolean;
}

function read(pieces: readonly Buffer[], end = false): Seen[] {
  const seen: Seen[] = [];
  const answers = new Http1Answers((answer, mayGoOn) => {
    const { status, body } = answer;
    seen.push({ status, body: body.toString(), type: answer.field("content-type"), mayGoOn });
  });
  for (const piece of pieces) answers.read(piece);
  if (end) answers.end();
  return seen;
}

const THREE = Buffer.from(
  "HTTP/1.1 100 Continue\r\n\r\n" +
    "HTTP/1.1 200 OK\r\nContent-Type:  a/b \r\nContent-Length: 5\r\n\r\nhello" +
    "HTTP/1.1 429 Too Many\r\ntransfer-encoding: chunked\r\ncontent-type: c\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nt: 1\r\n\r\n" +
    "HTTP/1.1 503 Gone\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
);
const SEEN: Seen[] = [
  { status: 200, body: "hello", type: "a/b", mayGoOn: true },
  { status: 429, body: "abc0123456789", type: "c", mayGoOn: true },
  { status: 503, body: "", type: undefined, mayGoOn: false },
];

test("answers are the same in whatever pieces they come", () => {
  expect(read([THREE])).toEqual(SEEN);
  expect(read([...THREE].map((octet) => Buffer.of(octet)))).toEqual(SEEN);
  fc.assert(
    fc.property(fc.array(fc.nat(THREE.length), { maxLength: 8 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), THREE.length];
      const pieces = places.slice(1).map((to, i) => THREE.subarray(places[i], to));
      expect(read(pieces)).toEqual(SEEN);
    }),
  );
});

test("a body without a length ends with the connection", () => {
  const text = Buffer.from("HTTP/1.0 200 OK\r\n\r\nto the end");
  expect(read([text])).toEqual([]);
  expect(read([text], true)).toMatchObject([{ status: 200, body: "to the end", mayGoOn: false }]);
});

test("what is no answer of HTTP/1.1, and what has no end, is refused", () => {
  expect(() => read([Buffer.from("SSH-2.0-x\r\n\r\n")])).toThrow("is no HTTP/1.1");
  expect(() => read([Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n")])).toThrow(
    "999999999999",
  );
  expect(() => read([Buffer.from("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n")])).toThrow(
    "NaN",
  );
  expect(() => read([Buffer.alloc(70_000, "a")])).toThrow("64 KiB");
});
