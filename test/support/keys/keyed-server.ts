/** A server that asks for keys, and callers who bring them in every protocol. */
import { hash } from "node:crypto";
import { symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Interceptor, Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { fileFolder } from "../folders.ts";

/** A repository with two models that load fast; ends with the test file. */
export function irisFolder(): string {
  const folder = fileFolder();
  for (const name of ["iris", "housing"]) symlinkSync(resolve("models", name), join(folder, name));
  return folder;
}

/** A line of a file of keys, for the key itself. */
export function keyLine(key: string, line: object): string {
  return JSON.stringify({ sha256: hash("sha256", key, "hex"), ...line });
}

/** A file of keys that ends with the test file; `write` replaces its lines. */
export function keyFile(...lines: string[]): { readonly path: string; write(...lines: string[]): void } {
  const path = join(fileFolder(), "keys.jsonl");
  const write = (...texts: string[]) => writeFileSync(path, `${texts.join("\n")}\n`);
  write(...lines);
  return { path, write };
}

/** A transport of each protocol whose calls bring a key; undefined: none. */
export function transportsWith(url: string, key: string | undefined): Record<string, Transport> {
  const bring: Interceptor = (next) => (request) => {
    if (key !== undefined) request.header.set("authorization", `Bearer ${key}`);
    return next(request);
  };
  const base = { baseUrl: url, interceptors: [bring] };
  return {
    grpc: createGrpcTransport(base),
    "grpc-web": createGrpcWebTransport({ ...base, httpVersion: "1.1" }),
    "connect over HTTP/2": createConnectTransport({ ...base, httpVersion: "2" }),
    "connect with JSON": createConnectTransport({ ...base, httpVersion: "1.1", useBinaryFormat: false }),
    "connect by GET": createConnectTransport({ ...base, httpVersion: "1.1", useHttpGet: true }),
  };
}

/** Sends a request of plain HTTP with a key. */
export function sendWith(url: string, key: string | undefined) {
  return async (path: string, body?: unknown, init: RequestInit = {}) => {
    const response = await fetch(`${url}${path}`, {
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      ...init,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...init.headers,
      },
    });
    const text = await response.text();
    return { status: response.status, text, headers: response.headers };
  };
}
