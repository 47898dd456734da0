import { expect, test } from "vitest";
import { HeldRequests } from "../../../src/http2/held-requests.ts";
import type { Http2Stream } from "../../../src/http2/server-stream.ts";

const stream = (id: number, unanswered = true) => ({ id, unanswered }) as Http2Stream;
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("requests are served in their order as far as there is room, and not within the caller's turn", async () => {
  const served: [number, boolean][] = [];
  let room = 2;
  const held = new HeldRequests(
    ({ id }, endStream) => {
      served.push([id, endStream]);
      room--;
    },
    () => room > 0,
  );
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
  room = 1;
  held.release();
  await turn();
  expect(served.at(-1)).toEqual([5, false]);
  expect(held.isEmpty).toBe(true);
});

test("a request that ended while it waited is not served", async () => {
  const served: number[] = [];
  const held = new HeldRequests(
    ({ id }) => served.push(id),
    () => true,
  );
  held.hold(stream(1, false), true);
  held.hold(stream(3), true);
  held.release();
  await turn();
  expect(served).toEqual([3]);
});
