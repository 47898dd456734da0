import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import {
  Health,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthListResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../../gen/grpc/health/v1/health_pb.ts";
import { AssayError } from "../../errors.ts";
import type { DrainNotice } from "../call/drain-notice.ts";

/** Tells whether the server takes requests now. */
export type IsReady = () => boolean;

/** How often a Watch looks: but for the end, readiness has no event of its own, and a second is what load balancers ask. */
const WATCH_INTERVAL_MS = 1000;

/**
 * Routes grpc.health.v1 for the server ("") and each service by name. Check of an unknown service is NOT_FOUND; Watch
 * sends SERVICE_UNKNOWN for it and goes on (gRPC health checking protocol). When the server shuts down, a Watch is sent NOT_SERVING and
 * then ends.
 */
export function healthRoutes(
  router: ConnectRouter,
  serviceNames: readonly string[],
  isReady: IsReady,
  notice: DrainNotice,
): void {
  const names = new Set(["", ...serviceNames]);
  const status = () => (isReady() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
  const response = (value: ServingStatus): HealthCheckResponse =>
    create(HealthCheckResponseSchema, { status: value });
  router.service(Health, {
    check({ service }) {
      if (names.has(service)) return response(status());
      const known = [...names].filter((name) => name !== "").join(", ");
      throw new ConnectError(
        `no service ${JSON.stringify(service)}; there is ${known}, and "" for the server`,
        Code.NotFound,
      );
    },
    list: () =>
      create(HealthListResponseSchema, {
        statuses: Object.fromEntries([...names].map((name) => [name, response(status())])),
      }),
    async *watch({ service }, { signal }) {
      let last: ServingStatus | undefined;
      while (!signal.aborted) {
        const { version, isDraining } = notice;
        const now = names.has(service) ? status() : ServingStatus.SERVICE_UNKNOWN;
        if (now !== last) yield response(now);
        last = now;
        if (isDraining) throw new AssayError(Reason.SHUTTING_DOWN, "the server is shutting down");
        await notice.changeAfter(version, WATCH_INTERVAL_MS, signal);
      }
    },
  });
}
