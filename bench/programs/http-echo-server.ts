/**
 * The least that a Node program does for a JSON call: `node:http`, the body read and parsed, a small JSON answer. Prints its port.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { features } = JSON.parse(Buffer.concat(chunks).toString()) as { features: number[] };
    const body = JSON.stringify({ scores: [features[0]] });
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    });
    response.end(body);
  });
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
