/** Sends decoder cases to a server in a process of its own and judges what it does: answers, event loop, heap. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DecodeCase } from "./decode-case.ts";
import type { ServerReport } from "./decode-server.ts";
import { writeFuzzModels } from "./fuzz-models.ts";

const SERVER = fileURLToPath(new URL("./decode-server.ts", import.meta.url));
/** Clients refuse larger trailers. */
const MAX_TRAILER_BYTES = 8192;
const MAX_ERROR_BYTES = 32_768;
/** Longer than the server's own call time-out. */
const ANSWER_MS = 90_000;

/** What a case was answered, and what it cost. */
export interface CaseResult {
  /** HTTP status, or `grpc N`. */
  readonly status: string;
  readonly text: string;
  readonly report: ServerReport;
}

/** A server to send cases to; its caller stops it. */
export interface DecodeTarget {
  readonly port: number;
  /** Throws, naming the case, where the answer is none that a caller may get. */
  run(one: DecodeCase): Promise<CaseResult>;
  /** Sends several at once; their statuses. */
  runAtOnce(cases: readonly DecodeCase[]): Promise<{ statuses: string[]; report: ServerReport }>;
  report(): Promise<ServerReport>;
  stop(): Promise<void>;
}

/** Starts a server with flags of its own and of Node's. */
export async function startDecodeTarget(
  flags: Readonly<Record<string, string>> = {},
  nodeFlags: readonly string[] = [],
): Promise<DecodeTarget> {
  const models = mkdtempSync(join(tmpdir(), "assay-fuzz-"));
  writeFuzzModels(models);
  const child: ChildProcess = fork(SERVER, [JSON.stringify(flags), models], {
    execArgv: [...nodeFlags],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  child.setMaxListeners(0);
  const gone = once(child, "exit");
  const ended = gone.then(([code, signal]) => {
    throw new Error(`the server ended: ${code ?? signal}`);
  });
  ended.catch(() => {});
  const [{ port }] = (await Promise.race([once(child, "message"), ended])) as [{ port: number }];
  const ask = async (): Promise<ServerReport> => {
    const answer = once(child, "message");
    child.send("report");
    return ((await Promise.race([answer, ended])) as [ServerReport])[0];
  };
  const send = async (one: DecodeCase): Promise<Answer> => {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`${one.name}: no answer within ${ANSWER_MS / 1000} s`)),
      ANSWER_MS,
    );
    try {
      return await Promise.race([one.isHttp2 ? sendHttp2(port, one) : sendHttp1(port, one), ended, late]);
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    port,
    report: ask,
    async run(one) {
      await ask();
      const answer = await send(one);
      checkAnswer(one, answer);
      return { status: answer.status, text: answer.text, report: await ask() };
    },
    async runAtOnce(cases) {
      await ask();
      const answers = await Promise.all(cases.map(send));
      return { statuses: answers.map(({ status }) => status), report: await ask() };
    },
    async stop() {
      child.kill("SIGKILL");
      await gone;
      rmSync(models, { recursive: true, force: true });
    },
  };
}

interface Answer {
  readonly status: string;
  readonly text: string;
  readonly trailerBytes: number;
}

function checkAnswer(one: DecodeCase, { status, text, trailerBytes }: Answer): void {
  const isFine = /^(2|4)\d\d$|^503$|^grpc (0|3|4|5|8|9|12|14)$/.test(status);
  if (!isFine) throw new Error(`${one.name}: answered ${status}: ${text.slice(0, 300)}`);
  if (trailerBytes > MAX_TRAILER_BYTES) throw new Error(`${one.name}: ${trailerBytes} octets of trailers`);
  const isRefused = !/^2|grpc 0/.test(status);
  if (isRefused && text.length > MAX_ERROR_BYTES)
    throw new Error(`${one.name}: an error of ${text.length} characters`);
}

function sendHttp1(port: number, { method, path, headers, body }: DecodeCase): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { port, host: "127.0.0.1", method, path, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: String(response.statusCode),
            text: Buffer.concat(chunks).toString(),
            trailerBytes: 0,
          }),
        );
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

function sendHttp2(port: number, { method, path, headers, body }: DecodeCase): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session: ClientHttp2Session = connect(`http://127.0.0.1:${port}`, { maxHeaderListPairs: 200 });
    session.on("error", reject);
    const stream = session.request({ ":method": method, ":path": path, te: "trailers", ...headers });
    const chunks: Buffer[] = [];
    let status = "";
    let message = "";
    let trailerBytes = 0;
    const read = (fields: Record<string, unknown>) => {
      if (fields[":status"] !== undefined) status ||= String(fields[":status"]);
      if (fields["grpc-status"] === undefined) return;
      status = `grpc ${String(fields["grpc-status"])}`;
      message = String(fields["grpc-message"] ?? "");
      trailerBytes = Object.entries(fields).reduce(
        (sum, [name, value]) => sum + name.length + String(value).length + 32,
        0,
      );
    };
    stream.on("response", read).on("trailers", read);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => {});
    stream.on("close", () => {
      session.close();
      resolve({ status, text: message || Buffer.concat(chunks).toString("latin1"), trailerBytes });
    });
    stream.end(body);
  });
}
