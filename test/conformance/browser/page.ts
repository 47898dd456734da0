/** Runs in the browser: calls the servers that its address names and posts what came to the page's own server. */
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { ScoringService } from "assay/v1/scoring_service";

const features = [5.1, 3.5, 1.4, 0.2];
const servers = new URL(location.href).searchParams.getAll("server");

async function callAll(baseUrl: string): Promise<object> {
  const transports: Record<string, Transport> = {
    "Connect JSON": createConnectTransport({ baseUrl }),
    "Connect binary": createConnectTransport({ baseUrl, useBinaryFormat: true }),
    "Connect GET": createConnectTransport({ baseUrl, useHttpGet: true }),
    "gRPC-Web": createGrpcWebTransport({ baseUrl }),
  };
  const results: Record<string, object> = {};
  for (const [name, transport] of Object.entries(transports)) results[name] = await callThrough(transport);
  const entries = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
  const versions = entries
    .filter((entry) => entry.name.startsWith(baseUrl))
    .map((entry) => entry.nextHopProtocol);
  return { results, versions: [...new Set(versions)] };
}

async function callThrough(transport: Transport): Promise<object> {
  const client = createClient(ScoringService, transport);
  const { labels } = await client.predict({ modelName: "iris", features }, { headers: { "x-tenant": "a" } });
  const streamed: string[] = [];
  const items = [1n, 2n, 3n].map((itemId) => ({ itemId, request: { modelName: "iris", features } }));
  for await (const { itemId, result } of client.predictRows({ items }))
    streamed.push(`${itemId} ${result.case}`);
  const refusal = await client.predict({ modelName: "none", features }).catch((error: unknown) => error);
  return {
    labels,
    streamed,
    refusal: refusal instanceof ConnectError ? Code[refusal.code] : String(refusal),
  };
}

const report: Record<string, unknown> = {};
for (const server of servers) report[server] = await callAll(server).catch((error: unknown) => String(error));
await fetch("/report", { method: "POST", body: JSON.stringify(report) });
