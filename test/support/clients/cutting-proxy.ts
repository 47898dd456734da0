import { once } from "node:events";
import net, { type AddressInfo } from "node:net";

/** A TCP proxy that cuts its connections; whoever started it closes it. */
export interface CuttingProxy {
  readonly address: string;
  /** Connections that it has cut. */
  readonly cutCount: number;
  close(): Promise<void>;
}

/** Passes bytes to `port` and destroys each connection after `nextCut()` bytes, both directions together; Infinity: never. */
export async function startCuttingProxy(port: number, nextCut: () => number): Promise<CuttingProxy> {
  const open = new Set<net.Socket>();
  let cutCount = 0;
  const server = net.createServer((client) => {
    const upstream = net.connect(port, "127.0.0.1");
    let left = nextCut();
    const pass = (from: net.Socket, to: net.Socket): void => {
      open.add(from);
      from.on("data", (bytes) => {
        if (bytes.length < left) {
          left -= bytes.length;
          if (!to.write(bytes)) {
            from.pause();
            to.once("drain", () => from.resume());
          }
          return;
        }
        // In the middle of a frame, of a message, of a header: wherever it falls.
        to.write(bytes.subarray(0, left), () => {
          client.destroy();
          upstream.destroy();
        });
        if (left > 0) cutCount++;
        left = 0;
      });
      from.on("error", () => {});
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
    };
    pass(client, upstream);
    pass(upstream, client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cutCount() {
      return cutCount;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
