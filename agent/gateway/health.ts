import { json } from "../api/http/problem.ts";
import { send } from "../api/http/reply.ts";
import type { Routes } from "../api/http/routes.ts";
import type { StandingWarning } from "./warnings.ts";

export interface GatewayHealth {
  readonly stopping: boolean;
  readonly devices: number;
  readonly registerLoadedMs: number;
  readonly warnings: readonly StandingWarning[];
}

/**
 * `livez`: this process answers. `readyz`: it takes requests; WeChat Pay's state is no part of it, or an outage there would
 * take every gateway out of the load balancer. Neither ever holds a secret.
 */
export function healthRoutes(read: () => GatewayHealth, renderMetrics: () => Promise<string>): Routes {
  return new Map([
    ["/livez", { get: ({ res }) => send(res, json(200, { status: "ok" })) }],
    [
      "/readyz",
      {
        get: ({ res }) => {
          const { stopping, devices, registerLoadedMs, warnings } = read();
          const status = stopping ? "stopping" : "ready";
          const register = { devices, loaded_at: new Date(registerLoadedMs).toISOString() };
          send(res, json(stopping ? 503 : 200, { status, register, warnings }));
        },
      },
    ],
    [
      "/metrics",
      {
        get: ({ res, hold }) => {
          hold();
          renderMetrics().then(
            (body) => send(res, { status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body }),
            () => send(res, json(500, { status: "the metrics cannot be rendered" })),
          );
        },
      },
    ],
  ]);
}
