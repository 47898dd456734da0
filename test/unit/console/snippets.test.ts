import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { snippetsOf } from "../../../console/snippets.ts";
import { PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";

const request = create(PredictRequestSchema, {
  modelName: "a b",
  rows: [{ name: "O'Hara", seen: null, member: true }],
});

function textOf(name: string, place: Partial<Parameters<typeof snippetsOf>[1]> = {}): string {
  const snippets = snippetsOf(request, { origin: "https://scores.example", hasKey: false, ...place });
  return snippets.find((snippet) => snippet.name === name)!.text;
}

test("curl posts to the model's own path, with quotes that a shell reads", () => {
  expect(textOf("curl")).toBe(
    [
      "curl 'https://scores.example/predict/a%20b' \\",
      "  -H 'content-type: application/json' \\",
      `  -d '{"rows":[{"name":"O'\\''Hara","seen":null,"member":true}]}'`,
    ].join("\n"),
  );
});

test("grpcurl gets a port, and is told of cleartext", () => {
  expect(textOf("grpcurl")).toMatch(
    /^grpcurl \\\n.* scores\.example:443 assay\.v1\.ScoringService\/Predict$/s,
  );
  expect(textOf("grpcurl", { origin: "http://127.0.0.1:8080" })).toContain("-plaintext");
});

test("Python's values are Python's", () => {
  expect(textOf("Python")).toContain('{"name": "O\'Hara", "seen": None, "member": True}');
});

test.each(["curl", "grpcurl", "Python", "TypeScript"])(
  "%s takes the key from the environment and never holds it",
  (name) => {
    expect(textOf(name, { hasKey: true })).toContain("ASSAY_KEY");
    expect(textOf(name)).not.toContain("ASSAY_KEY");
  },
);
