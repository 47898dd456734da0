import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { parseServerUrl } from "../../../../src/scorer/remote/server-url.ts";

test.each([
  ["http://localhost:8080", "http://localhost:8080", false, "localhost", 8080],
  ["http://localhost:8080/", "http://localhost:8080", false, "localhost", 8080],
  ["HTTPS://Models.Example.com", "https://models.example.com", true, "models.example.com", 443],
  ["http://models", "http://models", false, "models", 80],
  ["localhost:8080", "http://localhost:8080", false, "localhost", 8080],
  ["10.0.0.1:80", "http://10.0.0.1", false, "10.0.0.1", 80],
  ["[::1]:8080", "http://[::1]:8080", false, "::1", 8080],
  ["https://[::1]", "https://[::1]", true, "::1", 443],
])("%s is read", (text, origin, isSecure, host, port) => {
  expect(parseServerUrl(text)).toEqual({ origin, isSecure, host, port });
});

test.each([
  ["", /is empty/],
  ["localhost", /neither a scheme nor a port/],
  ["grpc://localhost:8080", /has the scheme grpc/],
  ["::1:8080", /IPv6 address stands in brackets/],
  ["http://::1:8080", /IPv6 address stands in brackets/],
  ["http://localhost:99999", /cannot be read/],
  ["http://", /cannot be read/],
  ["http://localhost:0", /port 0/],
  ["http://localhost:8080/v1", /goes on after the port \(\/v1\)/],
  ["http://localhost:8080?x=1", /goes on after the port \(\/\?x=1\)/],
])("%j is refused with what is wrong and how it is written", (text, message) => {
  expect(() => parseServerUrl(text)).toThrow(message);
  expect(() => parseServerUrl(text)).toThrow(/expected one like http:\/\/localhost:8080/);
  expect(() => parseServerUrl(text)).toThrow(expect.objectContaining({ reason: Reason.CONFIG_INVALID }));
});

test("a password in the URL is refused and not repeated", () => {
  expect(() => parseServerUrl("http://me:secret@localhost:8080")).toThrow(/user name or a password/);
  expect(() => parseServerUrl("http://me:secret@localhost:8080")).not.toThrow(/secret/);
});
