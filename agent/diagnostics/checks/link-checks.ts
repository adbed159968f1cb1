import { checkRemedy } from "../../messages/remedies/remedies.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { isHere, isNumeric } from "../endpoint.ts";
import { type RouterReading, readRouter } from "../host/router-ping.ts";
import { type Card, hasDefaultRoute, isAssigned, type NetworkState, readNetwork, routeTo } from "../host/routes.ts";
import { found, skipped, withoutConfig } from "../outcomes.ts";
import { hopNames, ways } from "../pay-probe.ts";

const WEAK_SIGNAL_PERCENT = 40;
const SLOW_ROUTER_MS = 50;
const BAD_ROUTER_MS = 500;

function network(context: DiagnoseContext): Promise<NetworkState> {
  return context.once("network.state", () => readNetwork());
}

/** The hops that lie outside this machine. */
function outside(context: DiagnoseContext): string[] {
  return [...new Set(ways(context).map(({ hop }) => hop.host))].filter((host) => !isHere(host));
}

export const linkCheck: Check = {
  id: "net.link",
  code: 501,
  section: "network",
  title: { id: "title.net.link" },
  dependsOn: [],
  threshold: { warn: { id: "limit.net.link.warn" }, fail: { id: "limit.net.link.fail" } },
  remedy: checkRemedy("net.link"),
  async run(context) {
    if (context.loaded === undefined) return withoutConfig();
    const hosts = outside(context);
    if (hosts.length === 0) return skipped({ id: "link.here" });
    const state = await network(context);
    const usable = state.cards.filter(({ addresses }) => addresses.some(isAssigned));
    if (usable.length === 0) return noAddress(state.cards);
    const lost = await withoutRoute(hosts, state, context);
    if (lost !== undefined) return noRoute(lost, usable);
    return linked(usable);
  },
};

/** A host that no route leads to; a name counts by its addresses only when there is no default route to find them by. */
async function withoutRoute(
  hosts: readonly string[],
  state: NetworkState,
  context: DiagnoseContext,
): Promise<string | undefined> {
  const numeric = hosts.filter(isNumeric);
  const lost = numeric.filter((host) => routeTo(host, state) === undefined);
  if (lost.length === hosts.length) return lost[0];
  if (numeric.length === hosts.length || hasDefaultRoute(state)) return undefined;
  const names = await hopNames(context);
  const reachable = names.some(({ addresses }) => addresses.some((address) => routeTo(address, state) !== undefined));
  return reachable || numeric.length > lost.length ? undefined : hosts.find((host) => !isNumeric(host));
}

function noAddress(cards: readonly Card[]): Outcome {
  const list = cards.map(({ name, state }) => `${name} ${state}`).join(", ") || "-";
  // Up without an address: the cable is plugged in, and no DHCP server answers.
  const unserved = cards.some(({ state }) => state === "up");
  return found(
    "fail",
    { id: "link.no_address", params: { cards: list } },
    {
      value: { cards: cards.map(({ name, state }) => ({ name, state })) },
      remedy: unserved ? { id: "link.ask_for_address" } : undefined,
    },
  );
}

function noRoute(host: string, cards: readonly Card[]): Outcome {
  const list = cards.map(({ name, addresses }) => `${name} ${addresses.find(isAssigned)}`).join(", ");
  return found(
    "fail",
    { id: "link.no_route", params: { host, cards: list } },
    {
      value: { host },
      remedy: { id: "link.set_gateway" },
    },
  );
}

function linked(cards: readonly Card[]): Outcome {
  const list = cards.map(({ name, addresses }) => `${name} ${addresses.find(isAssigned)}`).join(", ");
  const value = {
    cards: cards.map(({ name, addresses, signalPercent }) => ({ name, addresses, signal_percent: signalPercent })),
  };
  const weak = cards.find(({ signalPercent }) => signalPercent !== undefined && signalPercent < WEAK_SIGNAL_PERCENT);
  if (weak === undefined || cards.some(({ signalPercent }) => signalPercent === undefined))
    return found("pass", { id: "plain", params: { text: list } }, { value });
  return found(
    "warn",
    { id: "link.weak", params: { name: weak.name, percent: weak.signalPercent ?? 0 } },
    {
      value,
      remedy: { id: "link.move_nearer" },
    },
  );
}

export const gatewayCheck: Check = {
  id: "net.gateway",
  code: 502,
  section: "network",
  title: { id: "title.net.gateway" },
  dependsOn: ["net.link"],
  threshold: { warn: { id: "limit.net.gateway.warn" } },
  remedy: checkRemedy("net.gateway"),
  needsNetwork: true,
  async run(context, signal) {
    if (context.loaded === undefined) return withoutConfig();
    const hosts = outside(context);
    if (hosts.length === 0) return skipped({ id: "link.here" });
    const state = await network(context);
    const gateway = gatewayOf(hosts, state);
    if (gateway === undefined) return skipped({ id: "router.none" });
    return judgeRouter(gateway, await readRouter(gateway, context.clock, signal));
  },
};

function gatewayOf(hosts: readonly string[], state: NetworkState): string | undefined {
  const somewhere = state.routes.find(
    ({ bits, gateway, family }) => bits === 0 && gateway !== undefined && family === 4,
  );
  const routes = hosts.map((host) => (isNumeric(host) ? routeTo(host, state) : somewhere));
  return routes.find((route) => route?.gateway !== undefined)?.gateway;
}

export function judgeRouter(gateway: string, reading: RouterReading): Outcome {
  switch (reading.kind) {
    case "pinged": {
      const { lossPercent, ms = 0 } = reading;
      const bad = lossPercent > 0 || ms >= SLOW_ROUTER_MS;
      return found(
        bad ? "warn" : "pass",
        {
          id: ms >= BAD_ROUTER_MS ? "router.slow" : "router.pinged",
          params: { router: gateway, ms, loss: lossPercent },
        },
        { value: { gateway, ms, loss_percent: lossPercent } },
      );
    }
    case "neighbour":
      return found("pass", { id: "router.neighbour", params: { router: gateway } }, { value: { gateway } });
    case "silent":
      // Never a failure: a router may have been told not to answer.
      return found(
        "warn",
        { id: "router.silent", params: { router: gateway, by: reading.by } },
        {
          value: { gateway },
        },
      );
    case "unknown":
      return skipped({ id: "router.unknown" });
  }
}
