import type { Bilingual } from "../../common/language.ts";

const USUAL = "443";

/** A remedy that speaks of port 443, for base URLs that may name other ports. */
export function withPorts({ zh, en }: Bilingual, baseUrls: readonly string[]): Bilingual {
  const ports = [...new Set(baseUrls.map(portOf))].filter((port) => port !== undefined);
  if (ports.length === 0) return { zh, en };
  return { zh: zh.replaceAll(USUAL, ports.join("、")), en: en.replaceAll(USUAL, ports.join(" and ")) };
}

function portOf(baseUrl: string): string | undefined {
  return URL.canParse(baseUrl) ? new URL(baseUrl).port || USUAL : undefined;
}
