import { expect, test } from "vitest";
import { HeldRequests, requestsAfter } from "../../../../src/http2/streams/held-requests.ts";
import type { Http2Stream } from "../../../../src/http2/streams/server-stream.ts";

const stream = (id: number, unanswered = true) => ({ id, unanswered }) as Http2Stream;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A connection that serves two requests a turn, as long as its answers are read. */
function connection() {
  const served: [number, boolean][] = [];
  const server = {
    isRead: true,
    servedInTurn: 0,
    requestsInTurn: 2,
    mayServe: () => server.isRead && server.servedInTurn < 2,
    answersAreRead: () => server.isRead,
    serve({ id }: Http2Stream, endStream: boolean) {
      server.servedInTurn++;
      served.push([id, endStream]);
    },
  };
  return { server, served, held: new HeldRequests(server) };
}

test("requests are served in their order, some in each turn, and not within the caller's", async () => {
  const { held, served } = connection();
  for (const id of [1, 3, 5]) held.hold(stream(id), id === 1);
  held.release();
  held.release();
  expect(served).toEqual([]);
  await turn();
  expect(served).toEqual([
    [1, true],
    [3, false],
  ]);
  expect(held.isEmpty).toBe(false);
  await turn();
  expect(served.at(-1)).toEqual([5, false]);
  expect(held.isEmpty).toBe(true);
});

test("while answers are not read requests wait until they are released again", async () => {
  const { held, served, server } = connection();
  server.isRead = false;
  held.hold(stream(1), true);
  held.release();
  await turn();
  await turn();
  expect(served).toEqual([]);
  server.isRead = true;
  held.release();
  await turn();
  expect(served).toEqual([[1, true]]);
});

test("a request that ended while it waited is not served", async () => {
  const { held, served } = connection();
  held.hold(stream(1, false), true);
  held.hold(stream(3), true);
  held.release();
  await turn();
  expect(served).toEqual([[3, true]]);
});

test.each([
  [8, 1, 16],
  [64, 1, 64],
  [8, 15, 8],
  [8, 100, 4],
  [1, 100, 1],
])("after a turn of %i requests that took %i ms one may have %i", (requests, turnMs, next) => {
  expect(requestsAfter(requests, turnMs)).toBe(next);
});
