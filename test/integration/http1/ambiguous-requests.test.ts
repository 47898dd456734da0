import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Edge } from "../../../src/edge/edge.ts";
import { type Http1Exchange, http1Exchange } from "../../support/clients/http1-exchange.ts";
import { startEdge } from "../../support/servers/fake-services.ts";

// What two readers could take for two different requests is smuggled past the one by the other (RFC 9112, 11.2). `node:http` is held to
// RFC 9112 by others; the requests that are read by hand must be those that it reads in the same way.
const BODY = '{"features":[1,2]}';
const TYPE = "content-type: application/json\r\n";
const LENGTH = `content-length: ${BODY.length}\r\n`;
const PROCEDURE = "/assay.v1.ScoringService/Predict";
/** Served only where the request before it ended where its sender thinks. */
const NEXT = "GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
const LIMITS = { headerTimeoutMs: 1000, bodyTimeoutMs: 1000, idleTimeoutMs: 400, maxMessageBytes: 2000 };

const lines = (...all: string[]) => `${all.join("\r\n")}\r\n\r\n`;
const post = (fields: string, body = BODY, path = "/predict") =>
  `POST ${path} HTTP/1.1\r\nhost: a\r\n${fields}\r\n${body}`;
const plain = (path = "/predict", body = BODY) =>
  post(`${TYPE}content-length: ${Buffer.byteLength(body)}\r\n`, body, path);
const chunked = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;

const REQUESTS: Record<string, string> = {
  "a plain request": plain(),
  "a plain request to a procedure": plain(PROCEDURE),
  "names in any case": `POST /predict HTTP/1.1\r\nHOST: a\r\nContent-TYPE: application/json\r\nCoNtEnT-LeNgTh: ${BODY.length}\r\n\r\n${BODY}`,
  "Content-Length twice, alike": post(LENGTH + LENGTH),
  "Content-Length twice, different": post(`${LENGTH}content-length: 4\r\n`),
  "Content-Length as a list": post(`content-length: ${BODY.length}, ${BODY.length}\r\n`),
  "Content-Length with a sign": post(`content-length: +${BODY.length}\r\n`),
  "Content-Length below zero": post("content-length: -1\r\n"),
  "Content-Length in hexadecimal": post("content-length: 0x12\r\n"),
  "Content-Length with leading zeros": post(`content-length: 000${BODY.length}\r\n`),
  "Content-Length with a fraction": post(`content-length: ${BODY.length}.0\r\n`),
  "Content-Length beyond 2^53": post("content-length: 99999999999999999999\r\n"),
  "Content-Length empty": post("content-length:\r\n"),
  "Content-Length zero": post("content-length: 0\r\n", ""),
  "no Content-Length": post(TYPE, ""),
  "no Content-Length, but a body": post(TYPE),
  "Content-Length with a space inside": post("content-length: 1 8\r\n"),
  "Content-Length behind a tab": post(`content-length:\t${BODY.length}\r\n`),
  "Content-Length before spaces": post(`content-length: ${BODY.length}  \r\n`),
  "Content-Length before a vertical tab": post(`content-length: ${BODY.length}\v\r\n`),
  "Content-Length that is too long": post(`content-length: ${BODY.length + 5}\r\n`),
  "Content-Length that is too short": post(`content-length: ${BODY.length - 5}\r\n`),
  "Content-Length above the limit": post("content-length: 2001\r\n", "x".repeat(2001)),
  "Content-Length and Transfer-Encoding": post(`${LENGTH}transfer-encoding: chunked\r\n`, chunked),
  "Transfer-Encoding and Content-Length": post(`transfer-encoding: chunked\r\n${LENGTH}`, chunked),
  "Transfer-Encoding: chunked": post("transfer-encoding: chunked\r\n", chunked),
  "Transfer-Encoding: Chunked, in another case": post("Transfer-Encoding: CHUNKED\r\n", chunked),
  "Transfer-Encoding: identity": post(`${LENGTH}transfer-encoding: identity\r\n`),
  "Transfer-Encoding that is unknown": post(`${LENGTH}transfer-encoding: xchunked\r\n`, chunked),
  "Transfer-Encoding twice": post("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", chunked),
  "Transfer-Encoding behind a vertical tab": post(`${LENGTH}transfer-encoding:\vchunked\r\n`, chunked),
  "a space before Transfer-Encoding's colon": post(`${LENGTH}transfer-encoding : chunked\r\n`, chunked),
  "a space before Content-Length's colon": post(`content-length : ${BODY.length}\r\n`),
  "a space before a name": post(` x: y\r\n${LENGTH}`),
  "a tab before a name": post(`\tx: y\r\n${LENGTH}`),
  "a name that is empty": post(`: y\r\n${LENGTH}`),
  "a line without a colon": post(`nothing\r\n${LENGTH}`),
  "a name with an underscore": post(`content_length: 4\r\n${LENGTH}`),
  "a name with a NUL": post(`x\0y: z\r\n${LENGTH}`),
  "a name beyond ASCII": post(`\u00e9: z\r\n${LENGTH}`),
  "a value with a NUL": post(`x: a\0b\r\n${LENGTH}`),
  "a value with a lone CR": post(`x: a\rb\r\n${LENGTH}`),
  "a value beyond ASCII": post(`x: \u00e9\r\n${LENGTH}`),
  "a value with a tab": post(`x: a\tb\r\n${LENGTH}`),
  "a value that is empty": post(`x:\r\n${LENGTH}`),
  "a folded value": post(`x: a\r\n b\r\n${LENGTH}`),
  "a folded Content-Length": post(`content-length:\r\n ${BODY.length}\r\n`),
  "lines that end with LF alone": `POST /predict HTTP/1.1\nhost: a\ncontent-length: ${BODY.length}\n\n${BODY}`,
  "a request line that ends with LF alone": `POST /predict HTTP/1.1\nhost: a\r\n${LENGTH}\r\n${BODY}`,
  "a field that ends with LF alone": `POST /predict HTTP/1.1\r\nhost: a\n${LENGTH}\r\n${BODY}`,
  "an empty line of LF alone": `POST /predict HTTP/1.1\r\nhost: a\r\n${LENGTH}\n${BODY}`,
  "CR CR LF": post(`x: y\r\r\n${LENGTH}`),
  "empty lines before the request": `\r\n\r\n${plain()}`,
  "an empty line between two requests": `${plain()}\r\n${plain()}`,
  "Host twice": post(`host: a\r\n${LENGTH}`),
  "Host twice, different": post(`host: b\r\n${LENGTH}`),
  "no Host": `POST /predict HTTP/1.1\r\n${LENGTH}\r\n${BODY}`,
  "Host empty": `POST /predict HTTP/1.1\r\nhost:\r\n${LENGTH}\r\n${BODY}`,
  "Host with a path": `POST /predict HTTP/1.1\r\nhost: a/b\r\n${LENGTH}\r\n${BODY}`,
  "HTTP/1.0": `POST /predict HTTP/1.0\r\nhost: a\r\n${LENGTH}\r\n${BODY}`,
  "HTTP/1.0, kept alive": `POST /predict HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n${LENGTH}\r\n${BODY}`,
  "HTTP/1.2": `POST /predict HTTP/1.2\r\nhost: a\r\n${LENGTH}\r\n${BODY}`,
  "HTTP/2.0": `POST /predict HTTP/2.0\r\nhost: a\r\n${LENGTH}\r\n${BODY}`,
  "http/1.1 in small letters": `POST /predict http/1.1\r\nhost: a\r\n${LENGTH}\r\n${BODY}`,
  "no version": lines("POST /predict", "host: a"),
  "two spaces in the request line": `POST  /predict HTTP/1.1\r\nhost: a\r\n${LENGTH}\r\n${BODY}`,
  "a space at the end of the request line": `POST /predict HTTP/1.1 \r\nhost: a\r\n${LENGTH}\r\n${BODY}`,
  "a tab in the request line": `POST\t/predict HTTP/1.1\r\nhost: a\r\n${LENGTH}\r\n${BODY}`,
  "a method in small letters": `post /predict HTTP/1.1\r\nhost: a\r\n${LENGTH}\r\n${BODY}`,
  GET: `GET /predict HTTP/1.1\r\nhost: a\r\n${LENGTH}\r\n${BODY}`,
  HEAD: `HEAD /predict HTTP/1.1\r\nhost: a\r\n\r\n`,
  OPTIONS: `OPTIONS /predict HTTP/1.1\r\nhost: a\r\norigin: http://o\r\naccess-control-request-method: POST\r\n\r\n`,
  PUT: `PUT /predict HTTP/1.1\r\nhost: a\r\n${LENGTH}\r\n${BODY}`,
  "a target in absolute form": `POST http://b/predict HTTP/1.1\r\nhost: a\r\n${LENGTH}\r\n${BODY}`,
  "a target with a query": plain("/predict?a=b"),
  "a target with a fragment": plain("/predict#a"),
  "a target with an escape": plain("/predict/%73um"),
  "a target with an escaped slash": plain("/predict%2fsum"),
  "a target with a broken escape": plain("/predict/%zz"),
  "a target with dots": plain("/predict/../predict"),
  "a target with a slash at its end": plain("/predict/"),
  "a target that is not served": plain("/nothing"),
  "a target beyond ASCII": plain("/predict/\u00e9"),
  "a target with a NUL": plain("/predict/\0"),
  "a target without a slash": plain("predict"),
  "Connection: close": post(`connection: close\r\n${LENGTH}`),
  "Connection: keep-alive": post(`connection: Keep-Alive\r\n${LENGTH}`),
  "Connection: keep-alive, upgrade": post(`connection: keep-alive, upgrade\r\nupgrade: h2c\r\n${LENGTH}`),
  "Connection: close behind keep-alive": post(`connection: keep-alive\r\nconnection: close\r\n${LENGTH}`),
  "Connection that names Content-Length": post(`connection: content-length\r\n${LENGTH}`),
  "Upgrade without Connection": post(`upgrade: websocket\r\n${LENGTH}`),
  "Expect: 100-continue": post(`expect: 100-continue\r\n${LENGTH}`),
  "Expect of something else": post(`expect: tea\r\n${LENGTH}`),
  "a content-coding": post(`content-encoding: gzip\r\n${LENGTH}`),
  "a content-coding that is none": post(`content-encoding: identity\r\n${LENGTH}`),
  "a Trailer field": post(`trailer: x\r\n${LENGTH}`),
  "TE: trailers": post(`te: trailers\r\n${LENGTH}`),
  "more fields than are usual": post(`${"x: y\r\n".repeat(150)}${LENGTH}`),
  "a field that is too large": post(`x: ${"y".repeat(20_000)}\r\n${LENGTH}`),
  "fields that are too large together": post(`${`x: ${"y".repeat(200)}\r\n`.repeat(90)}${LENGTH}`),
  "a head without an end": "POST /predict HTTP/1.1\r\nhost: a\r\nx: ",
  "a method without an end": "POST /pre",
  "a body without an end": post(`${TYPE}content-length: 40\r\n`, "{"),
  "octets that are no request behind a plain one": `${plain()}\0\0\0\r\n\r\n`,
  "HTTP/2's preface behind a plain request": `${plain()}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
  "a request of another kind between plain ones": `${plain()}GET /livez HTTP/1.1\r\nhost: a\r\n\r\n${plain()}`,
  "a chunked request between plain ones": `${plain()}${post("transfer-encoding: chunked\r\n", chunked)}${plain(PROCEDURE)}`,
  "a body that looks like a request": plain("/predict", plain()),
  "nine plain requests at once": plain().repeat(9),
};

let byHand: { edge: Edge; port: number };
let byNode: { edge: Edge; port: number };
beforeAll(async () => {
  byHand = await startEdge({ limits: LIMITS });
  byNode = await startEdge({ limits: LIMITS, http1Requests: "node" });
});
afterAll(async () => {
  await byHand.edge.close();
  await byNode.edge.close();
});

async function both(...pieces: string[]): Promise<[Http1Exchange, Http1Exchange]> {
  const octets = pieces.map((piece) => Buffer.from(piece, "latin1"));
  return await Promise.all([http1Exchange(byHand.port, octets), http1Exchange(byNode.port, octets)]);
}

describe.concurrent("what is read by hand and what node:http reads end alike", () => {
  for (const [what, request] of Object.entries(REQUESTS)) {
    test(what, async () => {
      const [hand, node] = await both(request + NEXT);
      expect(hand).toEqual(node);
    });
    test(`${what}, in two pieces`, async () => {
      const middle = Math.floor(request.length / 3);
      const [hand, node] = await both(request.slice(0, middle), request.slice(middle) + NEXT);
      expect(hand).toEqual(node);
    });
    test(`${what}, behind a plain request`, async () => {
      const [hand, node] = await both(plain() + request + NEXT);
      expect(hand).toEqual(node);
    });
  }
});

test.each([
  ["a plain request", plain()],
  ["two plain requests", plain().repeat(2)],
  ["a request that hangs", plain("/predict/hang")],
  ["a part of a head", plain().slice(0, 40)],
  ["a part of a body", plain().slice(0, -3)],
  ["a part of a head behind a plain request", plain() + plain().slice(0, 40)],
  ["a part of a body behind a plain request", plain() + plain().slice(0, -3)],
  ["a request of another kind", NEXT],
])("%s from a client that then ends its side ends alike", async (_, request) => {
  const ends = [byHand, byNode].map(({ port }) => http1Exchange(port, [request], true));
  const [hand, node] = await Promise.all(ends);
  expect(hand).toEqual(node);
});

/** The same numbers in every run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ODD = [
  "\0",
  "\t",
  " ",
  "\r",
  "\n",
  "\r\n",
  ":",
  ",",
  ";",
  "%",
  "\x7f",
  "\x80",
  "\xff",
  "0",
  "POST ",
  "a",
];

test("plain requests with octets put in, taken out and changed at random end alike", async () => {
  const random = numbers(14);
  const pick = (count: number) => Math.floor(random() * count);
  const damaged = Array.from({ length: 300 }, () => {
    let text = post(`${TYPE}x: y\r\n${LENGTH}`, BODY, pick(2) === 0 ? "/predict" : PROCEDURE);
    const headBytes = text.indexOf("\r\n\r\n") + 4;
    for (let changes = 1 + pick(2); changes > 0; changes--) {
      const at = pick(headBytes);
      const kind = pick(3);
      text =
        text.slice(0, at) +
        (kind === 0 ? "" : ODD[pick(ODD.length)]!) +
        text.slice(at + (kind === 1 ? 0 : 1));
    }
    return text;
  });
  const ends = await Promise.all(damaged.map((request) => both(request + NEXT)));
  for (const [index, [hand, node]] of ends.entries()) {
    expect({ request: damaged[index], ...hand }).toEqual({ request: damaged[index], ...node });
  }
});
