import { expect, test } from "vitest";
import { wireProtocol } from "../../../../src/edge/call/content-type.ts";

test.each([
  ["application/grpc", "grpc"],
  ["application/grpc+proto", "grpc"],
  ["Application/GRPC+json", "grpc"],
  ["application/grpc;charset=utf-8", "grpc"],
  ["application/grpc-web", "grpc-web"],
  ["application/grpc-web+json", "grpc-web"],
  ["application/grpc-web-text", "grpc-web-text"],
  ["application/grpc-web-text+proto", "grpc-web-text"],
  ["application/connect+json", "connect-stream"],
  ["application/json", "http"],
  ["application/grpcx", "http"],
  [undefined, "http"],
] as const)("%s is %s", (type, protocol) => {
  expect(wireProtocol(type)).toBe(protocol);
});
