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
  title: { zh: "网络连接", en: "Network link" },
  dependsOn: [],
  threshold: { warn: "Wi-Fi < 40 %", fail: "no address, or no route to the configured hosts" },
  remedy: checkRemedy("net.link"),
  async run(context) {
    if (context.loaded === undefined) return withoutConfig();
    const hosts = outside(context);
    if (hosts.length === 0)
      return skipped("配置的地址在本机，不需要网络", "the configured base URL is on this machine");
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
  // Up without an address: the cable is in, and nobody gives out addresses.
  const unserved = cards.some(({ state }) => state === "up");
  return found("fail", `没有可用的网络地址（${list}）`, `no network address (${list})`, {
    value: { cards: cards.map(({ name, state }) => ({ name, state })) },
    remedy: unserved
      ? {
          zh: "已连接但没有获得 IP 地址：请重启路由器，或为本机设置固定 IP。",
          en: "Connected, but no address was given: restart the router, or set a fixed address.",
        }
      : undefined,
  });
}

function noRoute(host: string, cards: readonly Card[]): Outcome {
  const list = cards.map(({ name, addresses }) => `${name} ${addresses.find(isAssigned)}`).join(", ");
  return found(
    "fail",
    `没有到 ${host} 的路由（${list}），缺少默认网关`,
    `no route to ${host} (${list}): no default gateway`,
    {
      value: { host },
      remedy: {
        zh: "没有默认网关：请重启路由器，或核对本机的网关设置。",
        en: "There is no default gateway: restart the router, or set the gateway of this machine.",
      },
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
    return found("pass", list, list, { value });
  return found(
    "warn",
    `${weak.name} 的 Wi-Fi 信号只有 ${weak.signalPercent}%`,
    `Wi-Fi of ${weak.name} at ${weak.signalPercent} %`,
    {
      value,
      remedy: {
        zh: "Wi-Fi 信号弱，请移近路由器或改用网线。",
        en: "Weak Wi-Fi: move nearer to the router or use a cable.",
      },
    },
  );
}

export const gatewayCheck: Check = {
  id: "net.gateway",
  code: 502,
  section: "network",
  title: { zh: "路由器", en: "Router" },
  dependsOn: ["net.link"],
  threshold: { warn: ">= 50 ms, loss, or no answer" },
  remedy: checkRemedy("net.gateway"),
  needsNetwork: true,
  async run(context, signal) {
    if (context.loaded === undefined) return withoutConfig();
    const hosts = outside(context);
    if (hosts.length === 0) return skipped("配置的地址在本机", "the configured base URL is on this machine");
    const state = await network(context);
    const gateway = gatewayOf(hosts, state);
    if (gateway === undefined) return skipped("不经过路由器", "the way needs no router");
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
      const slow = ms >= BAD_ROUTER_MS ? { zh: "，很慢", en: ", very slow" } : { zh: "", en: "" };
      return found(
        bad ? "warn" : "pass",
        `${gateway} ${ms} ms，丢包 ${lossPercent}%${slow.zh}`,
        `${gateway} ${ms} ms, ${lossPercent} % loss${slow.en}`,
        { value: { gateway, ms, loss_percent: lossPercent } },
      );
    }
    case "neighbour":
      return found("pass", `${gateway} 在线（ARP）`, `${gateway} is there (ARP)`, { value: { gateway } });
    case "silent":
      // Never a failure: a router may have been told not to answer.
      return found("warn", `${gateway} 没有应答（${reading.by}）`, `${gateway} does not answer (${reading.by})`, {
        value: { gateway },
      });
    case "unknown":
      return skipped("没有 ping 程序，也无法读取 ARP 表", "there is no ping program and no ARP table to read");
  }
}
