import { readFileSync } from "node:fs";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { errorRow } from "../../../../src/edge/call/error-table.ts";

test("docs/errors.md has a row for each reason, equal to the code", () => {
  const docs = readFileSync(new URL("../../../../docs/errors.md", import.meta.url), "utf8");
  const documented = [
    ...docs.matchAll(/^\| ([A-Z_]+) +\| ([A-Z_]+) +\| (\d+) +\| +(?:(\d+) ms +)?\| .+ \|$/gm),
  ].map(([, reason, code, status, retryMs]) => ({ reason, code, status, retryMs }));
  const reasons = Object.entries(Reason).filter(([, value]) => value !== Reason.REASON_UNSPECIFIED);
  const coded = reasons.map(([reason, value]) => {
    const row = errorRow(value);
    return {
      reason,
      code: codeName(row.code),
      status: String(row.httpStatus),
      retryMs: row.retryAfterMs === undefined ? undefined : String(row.retryAfterMs),
    };
  });
  expect(documented).toEqual(coded);
});

function codeName(code: Code): string {
  if (code === Code.Canceled) return "CANCELLED";
  return Code[code].replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
