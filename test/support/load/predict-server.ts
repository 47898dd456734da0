import { once } from "node:events";
import http, { type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A server of `POST /predict` that can stand still; whoever started it closes it. */
export interface PredictServer {
  readonly url: string;
  /** Requests that came. */
  readonly count: number;
  close(): Promise<void>;
}

/** Answers each request with one score, or as `onRequest` does; `count` counts from 1. */
export async function startPredictServer(
  onRequest: (answer: () => void, count: number, response: ServerResponse) => void = (answer) => answer(),
): Promise<PredictServer> {
  let count = 0;
  const server = http.createServer((request, response) => {
    request.resume();
    const own = ++count;
    const answer = () => {
      response.setHeader("content-type", "application/json");
      response.end('{"scores":[0.5]}');
    };
    request.on("end", () => onRequest(answer, own, response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get count() {
      return count;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
