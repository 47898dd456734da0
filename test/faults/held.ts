import { setTimeout as delay } from "node:timers/promises";
import type { Bed, Server, StartOptions } from "./bed.ts";
import { scoresIris } from "./calls.ts";
import { HELD_MS, type Verdict } from "./fault.ts";

/** How a server is started and what it may take. */
export interface HeldOptions extends StartOptions {
  readonly models?: string;
  readonly flags?: readonly string[];
  /** Most resident memory in MiB beyond what it had before. Default 1,200. */
  readonly moreMib?: number;
  /** Longest silence of /livez in milliseconds that is none, where much has to be done. Default HELD_MS. */
  readonly stallMs?: number;
  /** Seconds that it is watched at most. Default 15. */
  readonly seconds?: number;
}

/**
 * Starts a server, sends what `send` sends, and looks whether /livez was silent, memory grew, the process ended or rows are scored
 * no more. `send` resolves with what it got, in words; where that begins with "wrong", it is a fault too.
 */
export async function held(
  bed: Bed,
  send: (server: Server) => Promise<string>,
  options: HeldOptions = {},
): Promise<Verdict> {
  const server = await bed.serve(options.flags ?? [], options);
  await scoresIris(server.url);
  await server.watch();
  const before = server.peakMib();
  const said = await Promise.race([
    send(server).catch((error: Error) => `no answer: ${error.message}`),
    delay((options.seconds ?? 15) * 1000, "no answer in time"),
    server.ended.then(({ code, signal }) => `it ended with ${signal ?? code}`),
  ]);
  await delay(300);
  const scores = server.alive && (await scoresIris(server.url));
  const [stall, more] = [server.stallMs(), server.peakMib() - before];
  const faulty =
    !scores ||
    stall > (options.stallMs ?? HELD_MS) ||
    more > (options.moreMib ?? 1200) ||
    /^(wrong|it ended|no answer in time)/.test(said);
  return { faulty, came: `${said}; /livez ${stall} ms, +${more} MiB${scores ? "" : ", scores no more"}` };
}
