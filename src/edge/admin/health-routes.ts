import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import {
  Health,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthListResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../../gen/grpc/health/v1/health_pb.ts";
import { AssayError } from "../../errors.ts";
import { visibleTo } from "../../registry/caller.ts";
import type { Readiness } from "../../registry/models.ts";
import { shownName } from "../../wording/field-paths.ts";
import type { DrainNotice } from "../call/drain-notice.ts";
import { callOf } from "../connect/interceptor.ts";

/** Whether the server takes requests now, and each version of each model. */
type ReadReadiness = () => Pick<Readiness, "ready" | "draining" | "models">;

/** How often a Watch looks: but for the end, readiness has no event of its own, and a second is what load balancers ask. */
const WATCH_INTERVAL_MS = 1000;

/**
 * Routes grpc.health.v1 for the server (""), each service and each model that the caller may know of by name. Check of an unknown one is NOT_FOUND; Watch
 * sends SERVICE_UNKNOWN for it and goes on (gRPC health checking protocol). When the server shuts down, a Watch is sent NOT_SERVING and
 * then ends.
 */
export function healthRoutes(
  router: ConnectRouter,
  serviceNames: readonly string[],
  readiness: ReadReadiness,
  notice: DrainNotice,
): void {
  const services = new Set(["", ...serviceNames]);
  const modelsFor = (context: HandlerContext) => visibleTo(readiness().models, callOf(context).caller);
  const status = (name: string, context: HandlerContext) =>
    statusOf(name, services, { ...readiness(), models: modelsFor(context) });
  const response = (value: ServingStatus): HealthCheckResponse =>
    create(HealthCheckResponseSchema, { status: value });
  router.service(Health, {
    check({ service }, context) {
      const known = status(service, context);
      if (known !== ServingStatus.SERVICE_UNKNOWN) return response(known);
      const names = [...services].filter((name) => name !== "").join(", ");
      throw new ConnectError(
        `no service and no model ${shownName(service)}; there is ${names}, each model by its name, and "" for the server`,
        Code.NotFound,
      );
    },
    list: (_request, context) =>
      create(HealthListResponseSchema, {
        statuses: Object.fromEntries(
          [...services, ...modelsFor(context).map(({ modelName }) => modelName)].map((name) => [
            name,
            response(status(name, context)),
          ]),
        ),
      }),
    async *watch({ service }, context) {
      const { signal } = context;
      let last: ServingStatus | undefined;
      while (!signal.aborted) {
        const { version, isDraining } = notice;
        const now = status(service, context);
        if (now !== last) yield response(now);
        last = now;
        if (isDraining) throw new AssayError(Reason.SHUTTING_DOWN, "the server is shutting down");
        await notice.changeAfter(version, WATCH_INTERVAL_MS, signal);
      }
    },
  });
}

/** A model serves where one of its versions does. A service is never hidden by a model of its name. */
function statusOf(
  name: string,
  services: ReadonlySet<string>,
  { ready, draining, models }: ReturnType<ReadReadiness>,
): ServingStatus {
  if (services.has(name)) return ready ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  const versions = models.filter(({ modelName }) => modelName === name);
  if (versions.length === 0) return ServingStatus.SERVICE_UNKNOWN;
  const serves = !draining && versions.some(({ state }) => state === ModelState.READY);
  return serves ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
}
