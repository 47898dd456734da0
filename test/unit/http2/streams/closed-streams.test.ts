import { expect, test } from "vitest";
import { ClosedStreams } from "../../../../src/http2/streams/closed-streams.ts";
import { CLOSED, RESET } from "../../../../src/http2/streams/stream-state.ts";

test("the last 128 ids are known with how they closed, older and unseen ones are not", () => {
  const closed = new ClosedStreams();
  for (let id = 1; id < 400; id += 2) closed.add(id, id % 4 === 1 ? CLOSED : RESET);
  expect(closed.stateOf(397)).toBe(CLOSED);
  expect(closed.stateOf(399)).toBe(RESET);
  expect(closed.stateOf(399 - 2 * 127)).toBe(CLOSED);
  expect(closed.stateOf(399 - 2 * 128)).toBeUndefined();
  expect(closed.stateOf(401)).toBeUndefined();
});
