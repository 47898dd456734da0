import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";

/** What becomes of one connection. */
export interface ProxyPlan {
  /** How many bytes of both directions together pass before the end. */
  readonly bytes: number;
  /** `cut` destroys both ends; `hang` keeps them and lets nothing pass any more, as a dead peer does. */
  readonly ending: "cut" | "hang";
}

/** A TCP proxy of this machine; whoever started it closes it. */
export interface TcpProxy {
  readonly port: number;
  readonly url: string;
  /** Connections that its plan ended. */
  readonly endedCount: number;
  /** Connections that came. */
  readonly connectionCount: number;
  close(): Promise<void>;
}

/** Proxies to `port`; `plan` says for each connection, counted from 0, what becomes of it. Undefined: it is left alone. */
export async function startTcpProxy(
  port: number,
  plan: (connection: number) => ProxyPlan | undefined,
): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let connectionCount = 0;
  let endedCount = 0;
  const server = net.createServer((client) => {
    const planned = plan(connectionCount++);
    const upstream = net.connect({ port, host: "127.0.0.1" });
    let left = planned?.bytes ?? Number.POSITIVE_INFINITY;
    const destroy = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("error", destroy);
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on("data", (bytes) => {
        if (left <= 0) return;
        const passed = bytes.subarray(0, Math.min(bytes.length, left));
        left -= bytes.length;
        if (left > 0) {
          if (!to.write(passed)) from.pause();
          return;
        }
        endedCount++;
        if (planned?.ending === "hang") to.write(passed);
        else to.write(passed, destroy);
      });
      to.on("drain", () => from.resume());
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const ownPort = (server.address() as AddressInfo).port;
  return {
    port: ownPort,
    url: `http://127.0.0.1:${ownPort}`,
    get endedCount() {
      return endedCount;
    },
    get connectionCount() {
      return connectionCount;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
