import { expect, test } from "vitest";
import { applySettings, initialPeerSettings, serverSettings } from "../../../../src/http2/frame/settings.ts";
import { DEFAULT_LIMITS } from "../../../../src/http2/limits.ts";
import { settings } from "../../../support/clients/raw-http2-client.ts";

const apply = (payload: Buffer) => applySettings(initialPeerSettings(), payload, 0, payload.length);

test("known settings are taken in order, unknown ones ignored", () => {
  expect(apply(settings([1, 0], [4, 100], [4, 70_000], [5, 20_000], [0x99, 7], [2, 0], [3, 5]))).toEqual({
    headerTableBytes: 0,
    initialWindowBytes: 70_000,
    maxFrameBytes: 20_000,
  });
});

test.each([
  ["ENABLE_PUSH 2", settings([2, 2]), 1],
  ["a window of 2^31", settings([4, 0x8000_0000]), 3],
  ["a frame size of 16,383", settings([5, 16_383]), 1],
  ["a frame size of 2^24", settings([5, 16_777_216]), 1],
  ["five octets", Buffer.alloc(5), 6],
])("%s is refused", (_, payload, code) => {
  expect(() => apply(payload)).toThrow(expect.objectContaining({ name: "ConnectionError", code }));
});

test("the server's settings say streams, window and header list", () => {
  expect(serverSettings(DEFAULT_LIMITS)).toEqual(settings([3, 1_000], [4, 262_144], [6, 16_384]));
});
