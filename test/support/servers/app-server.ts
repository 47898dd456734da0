import { type App, startApp } from "../../../src/app/serve.ts";
import { readServerSettings } from "../../../src/config/server-settings.ts";
import type { Log } from "../../../src/telemetry/log.ts";
import { type Http2EngineName, http2EngineOptions } from "../../reference/http2-engines.ts";
import { silentLog } from "./silent-log.ts";

/** A whole server on a free port; whoever started it closes it. */
export interface AppServer {
  readonly app: App;
  readonly address: string;
  readonly url: string;
}

/** Starts a server over a model repository with flags as on the command line, without dashes. */
export async function startAppServer(
  models: string,
  flags: Record<string, string> = {},
  more: {
    workerUrl?: URL;
    edgeEntry?: URL;
    http2Engine?: Http2EngineName;
    log?: Log;
    environment?: Record<string, string>;
  } = {},
): Promise<AppServer> {
  const settings = readServerSettings({
    flags: new Map(Object.entries({ models, port: "0", devices: "cpu", ...flags })),
    environment: {},
  });
  const { http2Engine, workerUrl, edgeEntry } = more;
  const app = await startApp({
    settings,
    environment: more.environment ?? {},
    log: more.log ?? silentLog,
    ...http2EngineOptions(http2Engine),
    ...(workerUrl === undefined ? {} : { workerUrl }),
    ...(edgeEntry === undefined ? {} : { edgeEntry }),
  });
  const address = `127.0.0.1:${app.address.port}`;
  return { app, address, url: `http://${address}` };
}
