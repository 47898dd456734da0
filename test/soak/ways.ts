/** The ways to the server that the soak takes. Each sends rows that no other call sends, and tells which came back right. */
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { type PredictResponse, ScoringService } from "../../gen/assay/v1/scoring_service_pb.ts";
import { loadScoringClient } from "../support/clients/grpc-js-client.ts";

/** Columns of the affine model. */
const COLUMNS = 16;

/** Rows by what became of them. */
export interface Counts {
  sent: number;
  right: number;
  refused: number;
  cancelled: number;
  wrong: number;
  lost: number;
  doubled: number;
}

/** One call or stream to its end. Throws where it ended in a way that it should not. */
export type Way = (counts: Counts) => Promise<void>;

/** What a call is meant to be: half are plain, the others are cancelled, short of time, or wrong. */
type Fate = "plain" | "cancel" | "deadline" | "bad";

let serial = 0;

const chance = (share: number) => Math.random() < share;
const fate = (): Fate => (chance(0.7) ? "plain" : chance(0.33) ? "cancel" : chance(0.5) ? "deadline" : "bad");

/** A tensor of rows that no other call has: each float names its call and row. */
function rowsOf(rows: number, columns = COLUMNS): Float32Array {
  serial = (serial + rows) % 4_000_000;
  const first = serial;
  return Float32Array.from({ length: rows * columns }, (_, i) => first + Math.floor(i / columns));
}

function inputOf(values: Float32Array, columns = COLUMNS) {
  return {
    name: "x",
    datatype: "FP32",
    shape: [BigInt(values.length / columns), BigInt(columns)],
    rawContents: new Uint8Array(values.buffer.slice(0)),
  };
}

/** Whether an answer is `2x + 1` of what was sent, element by element. */
function isRight(values: Float32Array, response: PredictResponse): boolean {
  const raw = response.outputs[0]?.rawContents;
  const typed = response.outputs[0]?.contents?.fp32Contents;
  if (raw !== undefined && raw.length > 0) {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
    return (
      raw.length === values.length * 4 &&
      values.every((x, i) => view.getFloat32(i * 4, true) === Math.fround(2 * x + 1))
    );
  }
  return typed?.length === values.length && values.every((x, i) => typed[i] === Math.fround(2 * x + 1));
}

/** Unary calls. */
export function overRpc(transport: Transport): Way {
  const client = createClient(ScoringService, transport);
  return async (counts) => {
    const kind = fate();
    const columns = kind === "bad" ? COLUMNS - 1 : COLUMNS;
    const rows = 1 + Math.floor(Math.random() ** 3 * 300);
    const values = rowsOf(rows, columns);
    const aborter = new AbortController();
    if (kind === "cancel") setTimeout(() => aborter.abort(), Math.random() * 5);
    counts.sent += rows;
    try {
      const request = { modelName: "affine", inputs: [inputOf(values, columns)], outputNames: ["*"] };
      const options = kind === "deadline" ? { timeoutMs: Math.ceil(Math.random() * 6) } : {};
      const response = await client.predict(request, { signal: aborter.signal, ...options });
      if (isRight(values, response)) counts.right += rows;
      else counts.wrong += rows;
    } catch (error) {
      settle(counts, rows, kind, ConnectError.from(error).code, error as Error);
    }
  };
}

/** Puts rows that got an error where they belong; throws where it is none that was asked for. */
function settle(counts: Counts, rows: number, kind: Fate, code: Code, error: Error): void {
  if (kind === "bad" && code === Code.InvalidArgument) counts.refused += rows;
  else if (kind === "cancel" && code === Code.Canceled) counts.cancelled += rows;
  else if (kind === "deadline" && (code === Code.DeadlineExceeded || code === Code.Canceled))
    counts.cancelled += rows;
  else throw error;
}

/** Bidirectional streams of some items, one in ten of them wrong; one stream in ten is left. */
export function overStream(transport: Transport): Way {
  const client = createClient(ScoringService, transport);
  return async (counts) => {
    const count = 20 + Math.floor(Math.random() * 80);
    const items = Array.from({ length: count }, () => {
      const bad = chance(0.1);
      const rows = 1 + Math.floor(Math.random() * 16);
      return { bad, rows, values: rowsOf(rows, bad ? COLUMNS - 1 : COLUMNS), answers: 0 };
    });
    const leaveAfter = chance(0.1) ? Math.floor(Math.random() * count) : Number.POSITIVE_INFINITY;
    const aborter = new AbortController();
    let came = 0;
    async function* requests() {
      for (const [index, { values, bad, rows }] of items.entries()) {
        counts.sent += rows;
        const inputs = [inputOf(values, bad ? COLUMNS - 1 : COLUMNS)];
        yield { itemId: BigInt(index), request: { modelName: "affine", inputs, outputNames: ["*"] } };
      }
    }
    try {
      for await (const answer of client.predictStream(requests(), { signal: aborter.signal })) {
        const item = items[Number(answer.itemId)];
        if (item === undefined || item.answers++ > 0) {
          counts.doubled += item?.rows ?? 1;
          continue;
        }
        const { result } = answer;
        if (result.case === "response" && !item.bad && isRight(item.values, result.value))
          counts.right += item.rows;
        else if (result.case === "status" && item.bad && result.value.code === Code.InvalidArgument)
          counts.refused += item.rows;
        else counts.wrong += item.rows;
        if (++came > leaveAfter) aborter.abort();
      }
    } catch (error) {
      if (!aborter.signal.aborted) throw error;
    }
    const unanswered = items.filter(({ answers }) => answers === 0);
    const rows = unanswered.reduce((sum, item) => sum + item.rows, 0);
    if (aborter.signal.aborted) counts.cancelled += rows;
    else counts.lost += rows;
  };
}

/** grpc-js with messages of its own making; what it sends are features of one row. */
export function overGrpcJs(address: string): Way {
  const client = loadScoringClient(address);
  return (counts) =>
    new Promise((resolve, reject) => {
      const bad = chance(0.1);
      const cancelled = !bad && chance(0.1);
      const values = rowsOf(1, bad ? COLUMNS + 1 : COLUMNS);
      counts.sent++;
      const request = { model_name: "affine", features: [...values], output_names: ["*"] };
      const call = client.Predict(request, { deadline: Date.now() + 20_000 }, (error, response) => {
        const outputs = (
          response as { outputs?: { raw_contents: Buffer; contents?: { fp32_contents: number[] } }[] }
        )?.outputs;
        const raw = outputs?.[0]?.raw_contents;
        const typed = outputs?.[0]?.contents?.fp32_contents ?? [];
        const came =
          raw !== undefined && raw.length > 0
            ? Array.from({ length: raw.length / 4 }, (_, i) => raw.readFloatLE(i * 4))
            : typed;
        if (error === null) {
          const right =
            came.length === values.length && values.every((x, i) => came[i] === Math.fround(2 * x + 1));
          if (right) counts.right++;
          else counts.wrong++;
        } else if (bad && error.code === 3) counts.refused++;
        else if (cancelled && error.code === 1) counts.cancelled++;
        else return reject(error);
        resolve();
      });
      if (cancelled) setTimeout(() => call.cancel(), Math.random() * 5);
    });
}

/** Plain HTTP. */
export function overPredict(url: string): Way {
  return async (counts) => {
    const bad = chance(0.1);
    const values = rowsOf(1, bad ? COLUMNS - 1 : COLUMNS);
    const aborter = new AbortController();
    const cancelled = !bad && chance(0.1);
    if (cancelled) setTimeout(() => aborter.abort(), Math.random() * 5);
    counts.sent++;
    try {
      const response = await fetch(`${url}/predict/affine`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ features: [...values], output_names: ["*"] }),
        signal: aborter.signal,
      });
      const text = await response.text();
      if (response.status === 422 && bad) counts.refused++;
      else if (response.status !== 200)
        throw new Error(`/predict answered ${response.status} ${text.slice(0, 200)}`);
      else if (text.includes(`${2 * values[0]! + 1}`)) counts.right++;
      else counts.wrong++;
    } catch (error) {
      if (!aborter.signal.aborted) throw error;
      counts.cancelled++;
    }
  };
}
