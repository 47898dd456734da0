/** The server that the page came from, called as any client calls it. */
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { ConsoleService } from "../gen/assay/v1/console_service_pb.ts";
import { ModelService } from "../gen/assay/v1/model_service_pb.ts";
import { ScoringService } from "../gen/assay/v1/scoring_service_pb.ts";

const KEY = "assay-key";

/** The key that calls carry, kept until the tab is closed; empty: none. */
export function bearerKey(): string {
  return sessionStorage.getItem(KEY) ?? "";
}

/** Keeps a key for the calls that come. */
export function keepBearerKey(key: string): void {
  if (key === "") sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, key);
}

const withKey: Interceptor = (next) => (request) => {
  const key = bearerKey();
  if (key !== "") request.header.set("authorization", `Bearer ${key}`);
  return next(request);
};

const transport = createConnectTransport({
  baseUrl: location.origin,
  useBinaryFormat: true,
  interceptors: [withKey],
});

/** Its services. */
export const models = createClient(ModelService, transport);
export const scoring = createClient(ScoringService, transport);
export const figures = createClient(ConsoleService, transport);

/** Whether a call was refused for want of a key that the server knows. */
export function wantsKey(error: unknown): boolean {
  return ConnectError.from(error).code === Code.Unauthenticated;
}
