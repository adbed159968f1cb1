import { createAdminServer } from "../api/admin-api.ts";
import { withoutAuthinfo } from "../api/authinfo-document.ts";
import { createCashierServer } from "../api/cashier-api.ts";
import { RejectionLog } from "../api/http/rejection-log.ts";
import { openSocket, socketPlaces } from "../api/sockets.ts";
import { inheritedSockets } from "../api/systemd-sockets.ts";
import type { Clock } from "../common/clock.ts";
import type { Log } from "../common/log/log.ts";
import type { ApiConfig } from "../config/config.ts";
import type { Metrics } from "./metrics/metrics.ts";
import type { Service } from "./service.ts";

export interface LocalApiParts {
  readonly service: Service;
  readonly metrics: Metrics;
  readonly renderMetrics: () => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
  /** Gives a server its place, unless the system's sockets are to. */
  readonly open?: typeof openSocket;
}

/** Both servers at work. */
export interface LocalApi {
  readonly paths: readonly string[];
  /** Where the cashier app's server listens; undefined when systemd's socket does not tell. */
  readonly cashierPath: string | undefined;
  /** What it was opened with. */
  readonly config: ApiConfig | undefined;
  /** Whether `config` names the places where it listens already: then readers can stay connected over a reload. */
  fits(config: ApiConfig | undefined): boolean;
  /** Sockets whose file is gone, or is another one by now: who connects anew does not reach this agent. */
  replaced(): readonly string[];
  /** Connections have been closed within the last minute to make room for others. */
  crowded(): boolean;
  close(): Promise<void>;
}

/** Opens both sockets; the first one is closed again when the second cannot be had. Rejects with API_SOCKET. */
export async function openLocalApi(config: ApiConfig | undefined, parts: LocalApiParts): Promise<LocalApi> {
  const { service, metrics, renderMetrics, env, clock, log, open: openAt = openSocket } = parts;
  const rejections = new RejectionLog(clock, log, "API_REFUSED");
  const common = {
    ...{ clock, log },
    denied: (reason: string) => {
      metrics.denied(reason);
      rejections.count(reason);
    },
    live: () => service.live(),
    supportCode: () => service.supportCode(),
  };
  const cashier = createCashierServer({
    ...common,
    credentials: service.credentials,
    identity: () => service.provision?.config.identity,
    driver: () => service.terminal,
    served: (state) => {
      metrics.served(state);
      service.history.read(clock.boot());
    },
  });
  const admin = createAdminServer({
    ...common,
    view: () => withoutAuthinfo(service.credentials.view()),
    retryAfterS: () => service.credentials.retryAfterS(),
    refresh: async (signal) => withoutAuthinfo(await service.credentials.refresh(signal)),
    probe: () => {
      const { terminal } = service;
      return terminal && ((signal) => terminal.probe(signal));
    },
    status: () => ({
      ...service.status(),
      api: {
        connections: { api: cashier.connections, admin: admin.connections },
        refused: Object.fromEntries([...metrics.counts.denied].filter(([, count]) => count > 0)),
      },
    }),
    history: (hours) => service.historyDocument(hours),
    renderMetrics,
  });
  const inherited = inheritedSockets(env, process.pid);
  const places = socketPlaces(config, inherited);
  // Together, so that a client that has got an answer from one finds the other open, too.
  const settled = await Promise.allSettled([openAt(cashier, places.api), openAt(admin, places.admin)]);
  const open = settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const failed = settled.find((each) => each.status === "rejected");
  if (failed) {
    await Promise.all(open.map((socket) => socket.close()));
    throw failed.reason;
  }
  return {
    cashierPath: open[0]?.path,
    paths: open.map(({ path }) => path ?? "(from systemd)"),
    config,
    fits: (other) => JSON.stringify(socketPlaces(other, inherited)) === JSON.stringify(places),
    replaced: () => open.flatMap((socket) => (socket.isReplaced() ? [socket.path ?? ""] : [])),
    crowded: () => rejections.recently("crowded"),
    async close() {
      await Promise.all(open.map((socket) => socket.close()));
    },
  };
}
