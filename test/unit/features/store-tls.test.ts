import { resolve } from "node:path";
import { expect, test } from "vitest";
import { storeTls, whyUnreachable } from "../../../src/features/store-tls.ts";

const CA = resolve("test/fixtures/tls/localhost-cert.pem");

test("TLS asks for the store by its name, and by none where the URL has an address", () => {
  expect(storeTls("rediss://:p@features.example:6380/0", "", "x")).toEqual({
    servername: "features.example",
  });
  expect(storeTls("valkeys://127.0.0.1:6380", "", "x")).toEqual({});
  expect(storeTls("rediss://[::1]:6380", CA, "x")).toEqual({
    ca: expect.stringContaining("BEGIN CERTIFICATE"),
  });
  expect(storeTls("redis://features.example", "", "x")).toBeUndefined();
});

test.each([
  ["redis://h", CA, "x: certificates to trust came for a store without TLS: rediss:// is expected"],
  ["rediss://h", "no-such-file", "x: the certificates of the store, no-such-file, cannot be read"],
  ["rediss://h", "package.json", "it holds no PEM certificate"],
])("%s with %s is refused", (url, file, said) => {
  expect(() => storeTls(url, file, "x")).toThrow(said);
});

test("a store whose certificate nobody vouches for is told with the setting that is to name who does", () => {
  const error = Object.assign(new Error("self-signed certificate; if it is yours, try --use-system-ca"), {
    code: "DEPTH_ZERO_SELF_SIGNED_CERT",
  });
  expect(whyUnreachable(error, "", "--tls-ca-file")).toBe(
    "its certificate is of no authority that the machine trusts (self-signed certificate): --tls-ca-file is to hold the one that signed it",
  );
  expect(whyUnreachable(error, "ca.pem", "tls_ca_file")).toContain("no authority that ca.pem holds");
  expect(whyUnreachable(new Error("connect ECONNREFUSED 127.0.0.1:1"), "", "x")).toBe(
    "connect ECONNREFUSED 127.0.0.1:1",
  );
});
