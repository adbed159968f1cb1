import type { PortHolder } from "../../common/failure-params.ts";
import type { Remedy } from "./remedy.ts";

/** "facepay-agent (pid 7, /etc/x.toml, x.service)": the same in both languages. */
export function holdersText(holders: readonly PortHolder[]): string {
  return holders
    .map(({ name, pid, ...of }) => `${name} (${[`pid ${pid}`, of.config, of.unit].filter(Boolean).join(", ")})`)
    .join(", ");
}

/** Whom to stop for the line to be free, which the agent then takes by itself; undefined where nobody could be seen. */
export function portHolderRemedy({ holders }: Readonly<Record<string, unknown>>): Remedy | undefined {
  if (!Array.isArray(holders) || holders.length === 0) return undefined;
  const all = holders as readonly PortHolder[];
  const other = all.find(({ config }) => config !== undefined);
  if (other === undefined) return { zh: `请停止 ${holdersText(all)}。`, en: `Stop ${holdersText(all)}.` };
  // One bridge serves one agent: either has to go, or was meant for another line.
  const stop = other.unit === undefined ? `kill ${other.pid}` : `systemctl stop ${other.unit}`;
  return {
    zh: `另一个 facepay-agent（配置 ${other.config}）正在使用此刷脸模组，一个刷脸模组只能由一个服务使用。请改正其中一份配置的 driver.path，或停止另一个服务：\n  ${stop}`,
    en: `Another facepay-agent, with ${other.config}, uses this bridge, and a bridge serves one agent only. Correct driver.path in one of the two configurations, or stop the other agent:\n  ${stop}`,
    edits: true,
  };
}
