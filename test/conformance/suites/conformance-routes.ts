import { create, createRegistry, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  type Error as ConformanceError,
  type ConformancePayload,
  ConformancePayload_RequestInfoSchema,
  ConformancePayloadSchema,
  ConformanceService,
  file_connectrpc_conformance_v1_service,
  type Header,
  HeaderSchema,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  type StreamResponseDefinition,
  UnaryRequestSchema,
  type UnaryResponseDefinition,
} from "../gen/connectrpc/conformance/v1/service_pb.ts";

/** Serves connectrpc.conformance.v1.ConformanceService as its comments define it. */
export function conformanceRoutes(router: ConnectRouter): void {
  const registry = createRegistry(file_connectrpc_conformance_v1_service);
  router.service(
    ConformanceService,
    {
      unary: (request, context) => unary(UnaryRequestSchema, request, context),
      idempotentUnary: (request, context) => unary(IdempotentUnaryRequestSchema, request, context),
      async clientStream(requests, context) {
        const seen: Any[] = [];
        let definition: UnaryResponseDefinition | undefined;
        for await (const request of requests) {
          if (seen.length === 0) definition = request.responseDefinition;
          seen.push(anyPack(ClientStreamRequestSchema, request));
        }
        return { payload: await unaryPayload(definition, seen, context) };
      },
      async *serverStream(request, context) {
        const definition = request.responseDefinition;
        if (definition === undefined) return;
        addMetadata(definition, context);
        yield* streamPayloads(definition, 0, [anyPack(ServerStreamRequestSchema, request)], context);
      },
      async *bidiStream(requests, context) {
        let seen: Any[] = [];
        let definition: StreamResponseDefinition | undefined;
        let first = true;
        let isFullDuplex = false;
        let answered = 0;
        for await (const request of requests) {
          if (first) {
            definition = request.responseDefinition;
            isFullDuplex = request.fullDuplex;
            if (definition !== undefined) addMetadata(definition, context);
            first = false;
          }
          seen.push(anyPack(BidiStreamRequestSchema, request));
          if (!isFullDuplex) continue;
          const data = definition?.responseData[answered];
          if (data === undefined) break;
          await delay(definition!.responseDelayMs, context);
          const requestInfo =
            answered === 0
              ? requestInfoOf(seen, context)
              : create(ConformancePayload_RequestInfoSchema, { requests: seen });
          yield { payload: create(ConformancePayloadSchema, { data, requestInfo }) };
          answered++;
          seen = [];
        }
        if (definition !== undefined) yield* streamPayloads(definition, answered, seen, context);
      },
    },
    { jsonOptions: { registry } },
  );
}

async function unary<Desc extends DescMessage>(
  desc: Desc,
  request: MessageShape<Desc> & { responseDefinition?: UnaryResponseDefinition | undefined },
  context: HandlerContext,
) {
  return { payload: await unaryPayload(request.responseDefinition, [anyPack(desc, request)], context) };
}

async function unaryPayload(
  definition: UnaryResponseDefinition | undefined,
  requests: Any[],
  context: HandlerContext,
): Promise<ConformancePayload> {
  const requestInfo = requestInfoOf(requests, context);
  if (definition === undefined) return create(ConformancePayloadSchema, { requestInfo });
  addMetadata(definition, context);
  await delay(definition.responseDelayMs, context);
  const { response } = definition;
  if (response.case === "error") throw connectError(response.value, requestInfo);
  const data = response.case === "responseData" ? response.value : new Uint8Array(0);
  return create(ConformancePayloadSchema, { data, requestInfo });
}

async function* streamPayloads(
  definition: StreamResponseDefinition,
  answered: number,
  requests: Any[],
  context: HandlerContext,
) {
  for (const [index, data] of definition.responseData.entries()) {
    if (index < answered) continue;
    await delay(definition.responseDelayMs, context);
    const requestInfo = index === 0 ? { requestInfo: requestInfoOf(requests, context) } : {};
    yield { payload: create(ConformancePayloadSchema, { data, ...requestInfo }) };
  }
  if (definition.error === undefined) return;
  const isFirst = definition.responseData.length === 0;
  throw connectError(definition.error, isFirst ? requestInfoOf(requests, context) : undefined);
}

function requestInfoOf(requests: Any[], context: HandlerContext) {
  const timeoutMs = context.timeoutMs();
  const query = new URL(context.url).searchParams;
  return create(ConformancePayload_RequestInfoSchema, {
    requests,
    requestHeaders: headerList(context.requestHeader.entries()),
    ...(timeoutMs === undefined ? {} : { timeoutMs: BigInt(Math.max(0, Math.floor(timeoutMs))) }),
    ...(context.requestMethod === "GET"
      ? { connectGetInfo: { queryParams: headerList(query.entries()) } }
      : {}),
  });
}

function headerList(entries: Iterable<[string, string]>): Header[] {
  return [...entries].map(([name, value]) => create(HeaderSchema, { name, value: value.split(/, ?/) }));
}

function addMetadata(
  definition: { responseHeaders: Header[]; responseTrailers: Header[] },
  context: HandlerContext,
): void {
  for (const { name, value } of definition.responseHeaders) {
    for (const each of value) context.responseHeader.append(name, each);
  }
  for (const { name, value } of definition.responseTrailers) {
    for (const each of value) context.responseTrailer.append(name, each);
  }
}

function connectError(
  error: ConformanceError,
  requestInfo: ReturnType<typeof requestInfoOf> | undefined,
): ConnectError {
  const result = new ConnectError(error.message ?? "", error.code as number as Code);
  const details = [...error.details];
  if (requestInfo !== undefined) details.push(anyPack(ConformancePayload_RequestInfoSchema, requestInfo));
  result.details = details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  return result;
}

async function delay(delayMs: number, context: HandlerContext): Promise<void> {
  if (delayMs === 0) return;
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new ConnectError("the call was aborted", Code.Canceled));
    };
    const timer = setTimeout(() => {
      context.signal.removeEventListener("abort", stop);
      resolve();
    }, delayMs);
    context.signal.addEventListener("abort", stop, { once: true });
  });
}
