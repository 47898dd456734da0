import fc from "fast-check";
import { expect, test } from "vitest";
import { keyId } from "../../../src/features/feature-store.ts";
import { keyMaker } from "../../../src/features/redis-store.ts";
import { redisUrl, shownUrl, storeUrl } from "../../../src/features/store-url.ts";

test("two rows never share a hash, nor a place in the cache", () => {
  const keyOf = keyMaker("pair:{a}:{b}", ["a", "b"]);
  const part = fc.string({ unit: fc.constantFrom(":", "%", "3", "A", "1", "2", "5"), maxLength: 6 });
  fc.assert(
    fc.property(part, part, part, part, (a, b, c, d) => {
      const isSame = a === c && b === d;
      expect(keyOf([a, b]) === keyOf([c, d])).toBe(isSame);
      expect(keyId([a, b]) === keyId([c, d])).toBe(isSame);
    }),
  );
  expect(keyMaker("customers:{id}", ["id"])(["a:b%"])).toBe("customers:a:b%");
});

test("a URL is made of the environment, and shown without user and password", () => {
  const url = storeUrl(
    { url: `redis://me:\${PASSWORD}@host:6380/2`, urlEnv: "" },
    { PASSWORD: "p@ss/word" },
    "x",
  );
  expect(decodeURIComponent(new URL(url).password)).toBe("p@ss/word");
  expect(shownUrl(url)).toBe("redis://host:6380/2");
  expect(storeUrl({ url: "", urlEnv: "STORE" }, { STORE: "rediss://h" }, "x")).toBe("rediss://h");
  expect(redisUrl("valkeys://h")).toBe("rediss://h");
});

test("a variable that is not set, and a URL that is none, are told without what stands in them", () => {
  expect(() => storeUrl({ url: `redis://:\${NONE}@h`, urlEnv: "" }, {}, "source")).toThrow(
    "source: the environment variable NONE, which the URL of the store is made of, is not set",
  );
  const wrong = () => storeUrl({ url: "", urlEnv: "STORE" }, { STORE: "secret" }, "source");
  expect(wrong).toThrow(/redis:\/\/HOST:PORT\/DATABASE is expected/);
  expect(wrong).not.toThrow(/secret/);
});
