import { expect, onTestFinished } from "vitest";
import { startEdge } from "./fake-services.ts";

/** An edge over the fakes, closed when the test has ended, which fails where a connection is left. */
export async function testedEdge(
  ...options: Parameters<typeof startEdge>
): Promise<Awaited<ReturnType<typeof startEdge>>> {
  const started = await startEdge(...options);
  onTestFinished(async () => {
    await started.edge.close();
    expect(started.edge.connectionCount).toBe(0);
  });
  return started;
}
