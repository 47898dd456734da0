import { Agent, request } from "node:http";

/** An answer of HTTP/1.1. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A caller with one connection that stays; which edge it meets is the system's choice. */
export interface Caller {
  ask(path: string, body?: object): Promise<Answer>;
  /** The body of a resource that is no JSON. */
  text(path: string): Promise<string>;
  close(): void;
}

/** Makes so many callers of a server; nothing is connected yet. */
export function callersOf(url: string, count: number): Caller[] {
  return Array.from({ length: count }, () => caller(url));
}

function caller(url: string): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const exchange = (path: string, body?: object): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const method = body === undefined ? "GET" : "POST";
      const sent = request(`${url}${path}`, { agent, method }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (piece: string) => {
          text += piece;
        });
        response.on("end", () => resolve({ status: response.statusCode!, text }));
        response.on("error", reject);
      });
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  return {
    async ask(path, body) {
      const { status, text } = await exchange(path, body);
      return { status, body: JSON.parse(text || "null") };
    },
    text: async (path) => (await exchange(path)).text,
    close: () => agent.destroy(),
  };
}
