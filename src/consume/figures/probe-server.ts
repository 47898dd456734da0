/** `/metrics`, `/livez` and `/readyz` of a process that serves nothing else. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError, messageOf } from "../../errors.ts";
import {
  type MetricFamily,
  metricText,
  OPEN_METRICS_TYPE,
  PROMETHEUS_TYPE,
} from "../../telemetry/metric-text.ts";

/** What is asked. */
export interface Probes {
  families(): MetricFamily[];
  /** Why it is not ready; undefined: it is. */
  unready(): string | undefined;
}

/** A server that listens; whoever opened it closes it. */
export interface ProbeServer {
  readonly port: number;
  close(): void;
}

/** Listens on a port, 0 for any. Rejects with CONFIG_INVALID where it cannot. */
export async function openProbeServer(host: string, port: number, probes: Probes): Promise<ProbeServer> {
  const server = createServer((request, response) => answer(request, response, probes));
  server.requestTimeout = 10_000;
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const what = `--metrics-port ${port} on ${host} cannot be listened on: ${messageOf(error)}`;
      reject(new AssayError(Reason.CONFIG_INVALID, what, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

function answer({ url, method, headers }: IncomingMessage, response: ServerResponse, probes: Probes): void {
  const path = url?.split("?")[0];
  if (method !== "GET" && method !== "HEAD") send(response, 405, `${method} came; GET is expected\n`);
  else if (path === "/livez") send(response, 200, "ok\n");
  else if (path === "/readyz") {
    const why = probes.unready();
    send(response, why === undefined ? 200 : 503, `${why ?? "ok"}\n`);
  } else if (path === "/metrics") {
    const isOpen = headers.accept?.includes("application/openmetrics-text") === true;
    const type = isOpen ? OPEN_METRICS_TYPE : PROMETHEUS_TYPE;
    send(response, 200, metricText(probes.families(), type), type);
  } else send(response, 404, "there are /metrics, /livez and /readyz\n");
}

function send(
  response: ServerResponse,
  status: number,
  text: string,
  type = "text/plain; charset=utf-8",
): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(text);
}
