/** The resources of the mixed soak's server, as JSON over HTTP/1.1, and grpc-js with messages of its own making. */
import { gzipSync } from "node:zlib";
import * as grpc from "@grpc/grpc-js";
import { loadScoringClient } from "../../support/clients/grpc-js-client.ts";
import { type Call, type Item, type Way, WayFailure } from "./mixed-call.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers of four protocols.
type Body = any;

/** Every way by resources, and grpc-js. */
export function httpWays(url: string): Way[] {
  return [
    posted("/predict", 40, url, (model, item) => ({
      path: `/predict/${model}`,
      body: { features: rowsOf(item), output_names: ["*"] },
      read: ({ outputs, model_version }) => ({
        values:
          outputs[0].contents?.fp32_contents ?? floats(Buffer.from(outputs[0].raw_contents ?? "", "base64")),
        version: model_version,
      }),
    })),
    posted("/v2 infer", 40, url, (model, item) => ({
      path: `/v2/models/${model}/infer`,
      body: {
        inputs: [{ name: "x", datatype: "FP32", shape: [item.rows, item.columns], data: item.values }],
      },
      read: ({ outputs, model_version }) => ({ values: outputs[0].data, version: model_version }),
    })),
    posted("/v1 predict", 40, url, (model, item) => ({
      path: `/v1/models/${model}:predict`,
      body: { instances: rowsOf(item) },
      read: ({ predictions }) => ({ values: (predictions as number[][]).flat(), version: undefined }),
    })),
    posted("/invocations", 40, url, (model, item) => ({
      path: `/invocations/${model}`,
      body: { inputs: rowsOf(item) },
      read: ({ predictions }) => ({ values: (predictions as number[][]).flat(), version: undefined }),
    })),
    grpcJs(new URL(url).host),
  ];
}

function rowsOf({ values, rows, columns }: Item): number[][] {
  return Array.from({ length: rows }, (_, row) => values.slice(row * columns, (row + 1) * columns));
}

function floats(octets: Uint8Array): Float32Array {
  // A Buffer's own slice() would be a view.
  return new Float32Array(new Uint8Array(octets).buffer);
}

interface Posted {
  readonly path: string;
  readonly body: unknown;
  read(body: Body): { values: ArrayLike<number>; version: string | undefined };
}

function posted(
  name: string,
  mostRows: number,
  url: string,
  make: (model: string, item: Item) => Posted,
): Way {
  return {
    name,
    mostItems: 1,
    mostRows,
    async call({ items, model, signal, timeoutMs, isCompressed }: Call, answered) {
      const [item] = items;
      const { path, body, read } = make(model, item!);
      const text = JSON.stringify(body);
      const response = await fetch(`${url}${path}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(isCompressed && { "content-encoding": "gzip" }),
          ...(timeoutMs !== undefined && { "x-request-timeout-ms": String(timeoutMs) }),
        },
        body: isCompressed ? gzipSync(text) : text,
        signal: timeoutMs === undefined ? signal : AbortSignal.any([signal, lateAfter(timeoutMs)]),
      });
      const came = await response.text();
      if (response.status !== 200) throw new WayFailure(`HTTP ${response.status}`, came.slice(0, 200));
      answered(item!.id, read(JSON.parse(came)));
    },
  };
}

/** Aborts as a caller does whose time is up. */
function lateAfter(timeoutMs: number): AbortSignal {
  const aborter = new AbortController();
  setTimeout(() => aborter.abort(), timeoutMs).unref();
  return aborter.signal;
}

function grpcJs(address: string): Way {
  const client = loadScoringClient(address);
  return {
    name: "grpc-js Predict of one row",
    mostItems: 1,
    mostRows: 1,
    call({ items, model, signal, timeoutMs }, answered) {
      const [item] = items;
      const request = { model_name: model, features: item!.values, output_names: ["*"] };
      return new Promise((resolve, reject) => {
        const call = client.Predict(
          request,
          { deadline: Date.now() + (timeoutMs ?? 20_000) },
          (error, response) => {
            if (error !== null) return reject(new WayFailure(CODES[error.code] ?? error.name, error.details));
            const { outputs, model_version } = response as Body;
            const [{ raw_contents, contents }] = outputs;
            const values = raw_contents?.length > 0 ? floats(raw_contents) : contents.fp32_contents;
            answered(item!.id, { values, version: model_version });
            resolve();
          },
        );
        signal.addEventListener("abort", () => call.cancel(), { once: true });
      });
    },
    close: () => client.close(),
  };
}

const CODES: Readonly<Record<number, string>> = {
  [grpc.status.CANCELLED]: "Canceled",
  [grpc.status.DEADLINE_EXCEEDED]: "DeadlineExceeded",
  [grpc.status.INVALID_ARGUMENT]: "InvalidArgument",
  [grpc.status.NOT_FOUND]: "NotFound",
  [grpc.status.UNAVAILABLE]: "Unavailable",
};
