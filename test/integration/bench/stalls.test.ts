import { expect, test } from "vitest";
import { benchRun } from "../../support/load/bench-run.ts";
import { startPredictServer } from "../../support/load/predict-server.ts";

const STALL_MS = 300;
const REQUEST = { features: [1, 2] };

/** A server that answers nothing for a while, beginning with its 10th request. */
function stallingServer() {
  const held: (() => void)[] = [];
  let isStalling = false;
  return startPredictServer((answer, count) => {
    if (count === 10) {
      isStalling = true;
      setTimeout(() => {
        isStalling = false;
        for (const one of held.splice(0)) one();
      }, STALL_MS);
    }
    if (isStalling) held.push(answer);
    else answer();
  });
}

test("an open loop shows a server's standstill in the percentiles, also where few calls may be in flight", async () => {
  for (const concurrency of ["100", "4"]) {
    const server = await stallingServer();
    const flags = { server: server.url, protocol: "predict", rate: "200", duration: "1.5", concurrency };
    const report = await benchRun(flags, REQUEST);
    await server.close();
    expect(report.calls + report.open_loop!.never_begun).toBe(300);
    // 60 calls were due meanwhile, one each 5 ms.
    expect(report.latency_ms.max).toBeGreaterThanOrEqual(STALL_MS - 1);
    expect(report.latency_ms.p99).toBeGreaterThan(STALL_MS - 40);
    expect(report.latency_ms.p95).toBeGreaterThan(STALL_MS / 2);
    if (concurrency === "4") expect(report.open_loop!.held_by_concurrency).toBeGreaterThan(40);
  }
});

test("a closed loop meets the same standstill with the calls in flight alone", async () => {
  const server = await stallingServer();
  const report = await benchRun(
    { server: server.url, protocol: "predict", concurrency: "1", duration: "1" },
    REQUEST,
  );
  await server.close();
  expect(report.latency_ms.max).toBeGreaterThanOrEqual(STALL_MS - 1);
  expect(report.latency_ms.p90).toBeLessThan(STALL_MS / 2);
});

test("calls without an answer fail with their time-out, and the run goes on with others", async () => {
  const server = await startPredictServer((answer, count) => {
    if (count % 10 !== 0) answer();
  });
  const flags = { server: server.url, protocol: "predict", concurrency: "2", "timeout-ms": "60" };
  const report = await benchRun({ ...flags, duration: "0.5" }, REQUEST);
  await server.close();
  expect(report.errors).toMatchObject([{ code: "DEADLINE_EXCEEDED", message: "no answer within 60 ms" }]);
  expect(report.failed).toBeGreaterThanOrEqual(Math.floor(server.count / 10));
  expect(report.calls).toBeGreaterThan(report.failed);
});

test("a server that closes the connection with each answer is called on", async () => {
  const server = await startPredictServer((answer, _count, response) => {
    response.setHeader("connection", "close");
    answer();
  });
  const report = await benchRun({ server: server.url, protocol: "predict", concurrency: "2" }, REQUEST);
  await server.close();
  expect(report).toMatchObject({ failed: 0 });
  expect(report.calls).toBeGreaterThan(4);
});

test("an answer with too few scores is none, where answers are checked", async () => {
  const server = await startPredictServer();
  const request = { rows: [{ a: 1 }, { a: 2 }] };
  const checked = await benchRun({ server: server.url, protocol: "predict", concurrency: "1" }, request);
  const unchecked = await benchRun(
    { server: server.url, protocol: "predict", concurrency: "1", check: "false" },
    request,
  );
  await server.close();
  expect(checked.errors).toMatchObject([{ message: "the answer cannot be read: 1 score came for 2 rows" }]);
  expect(unchecked.failed).toBe(0);
});
