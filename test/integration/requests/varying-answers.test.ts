import { get } from "node:http";
import { expect, test } from "vitest";
import { fileServer } from "../../support/servers/tested-servers.ts";

const server = await fileServer("models");

test.each([
  ["/assay.v1.ModelService/GetModel", { modelName: "iris" }],
  [
    "/assay.v1.ScoringService/Predict",
    { modelName: "digits", features: Array(64).fill(1), outputNames: ["*"] },
  ],
  ["/assay.v1.ScoringService/Predict", { modelName: "iris", features: Array(4).fill(1) }],
])(
  "a Connect answer of %s that callers may have compressed varies by accept-encoding",
  async (path, message) => {
    for (const accepted of ["gzip", "identity"]) {
      const query = new URLSearchParams({
        connect: "v1",
        encoding: "json",
        message: JSON.stringify(message),
      });
      const { headers, length } = await fetched(`${server.url}${path}?${query}`, accepted);
      const varies = headers["content-encoding"] === "gzip" || length >= 1024;
      expect(headers.vary).toBe(varies ? "accept-encoding" : undefined);
    }
  },
);

function fetched(url: string, accepted: string) {
  return new Promise<{ headers: NodeJS.Dict<string | string[]>; length: number }>((resolve, reject) => {
    get(url, { headers: { "accept-encoding": accepted }, agent: false }, (response) => {
      let length = 0;
      response.on("data", (chunk: Buffer) => {
        length += chunk.length;
      });
      response.on("end", () => resolve({ headers: response.headers, length }));
    }).on("error", reject);
  });
}
