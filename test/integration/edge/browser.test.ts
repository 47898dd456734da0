import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { beforeEach, describe, expect, test } from "vitest";
import { PredictRequestSchema, PredictResponseSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { testedEdge } from "../../support/servers/tested-servers.ts";

const PREDICT = "/assay.v1.ScoringService/Predict";
let url: string;
async function start(corsOrigins: string[] = ["*"]) {
  const { port } = await testedEdge({ corsOrigins });
  url = `http://127.0.0.1:${port}`;
}
describe("CORS", () => {
  const preflight = () =>
    fetch(url + PREDICT, {
      method: "OPTIONS",
      headers: {
        origin: "https://page.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,connect-protocol-version,x-tenant",
      },
    });

  test("a preflight from any origin is allowed, without credentials, with the fields it asks for", async () => {
    await start();
    const response = await preflight();
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-allow-methods")).toBe("POST, GET, OPTIONS");
    expect(response.headers.get("access-control-allow-headers")).toMatch(
      /connect-protocol-version.*x-tenant/,
    );
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
    expect(Number(response.headers.get("access-control-max-age"))).toBeGreaterThan(0);
  });

  test("responses and refusals name the origin and what a page may read", async () => {
    await start();
    for (const path of ["/livez", "/nothing", PREDICT]) {
      const response = await fetch(url + path, { headers: { origin: "https://page.example" } });
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
      expect(response.headers.get("access-control-expose-headers")).toMatch(
        /grpc-status.*inference-header-content-length/i,
      );
    }
  });

  test("only the origins of the list are allowed where there is one", async () => {
    await start(["https://other.example"]);
    const refused = await preflight();
    expect(refused.headers.get("access-control-allow-origin")).toBeNull();
    const allowed = await fetch(`${url}/livez`, { headers: { origin: "https://other.example" } });
    expect(allowed.headers.get("access-control-allow-origin")).toBe("https://other.example");
    expect(allowed.headers.get("vary")).toBe("origin");
  });
});

describe("gRPC-Web text", () => {
  beforeEach(() => start());

  function frame(payload: Uint8Array): Buffer {
    const bytes = Buffer.alloc(5 + payload.length);
    bytes.writeUInt32BE(payload.length, 1);
    bytes.set(payload, 5);
    return bytes;
  }

  async function call(
    body: string,
  ): Promise<{ type: string | null; frames: { flags: number; data: Buffer }[] }> {
    const response = await fetch(url + PREDICT, {
      method: "POST",
      headers: { "content-type": "application/grpc-web-text+proto", "x-grpc-web": "1" },
      body,
    });
    const text = await response.text();
    const groups = text.match(/[^=]+={0,2}/g) ?? [];
    const bytes = Buffer.concat(groups.map((group) => Buffer.from(group, "base64")));
    const frames = [];
    for (let offset = 0; offset < bytes.length; ) {
      const end = offset + 5 + bytes.readUInt32BE(offset + 1);
      frames.push({ flags: bytes[offset]!, data: bytes.subarray(offset + 5, end) });
      offset = end;
    }
    return { type: response.headers.get("content-type"), frames };
  }

  const message = toBinary(PredictRequestSchema, create(PredictRequestSchema, { features: [1, 2] }));

  test("a call is answered in text, message and trailers", async () => {
    const { type, frames } = await call(frame(message).toString("base64"));
    expect(type).toBe("application/grpc-web-text+proto");
    expect(fromBinary(PredictResponseSchema, frames[0]!.data).scores).toEqual([3]);
    expect(frames[1]!.flags).toBe(0x80);
    expect(frames[1]!.data.toString()).toMatch(/grpc-status: 0/);
  });

  test("padding inside the text is taken: each piece is encoded by itself", async () => {
    const bytes = frame(message);
    const pieces = [bytes.subarray(0, 4), bytes.subarray(4)].map((piece) => piece.toString("base64"));
    expect(pieces[0]).toContain("=");
    const { frames } = await call(pieces.join(""));
    expect(fromBinary(PredictResponseSchema, frames[0]!.data).scores).toEqual([3]);
  });

  test("text that is not base64 is INVALID_ARGUMENT", async () => {
    const { frames } = await call("AAAA!!!!");
    const trailers = frames.at(-1)!.data.toString();
    expect(trailers).toContain("grpc-status: 3");
    expect(trailers).toContain("base64");
  });
});
