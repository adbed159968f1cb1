import { distrustedOnTheWay, distrustText } from "../../common/files/trust.ts";
import type { Problem } from "../problem.ts";
import type { FileContext } from "./secret-file-loader.ts";

/** A user who may change one of these decides whom the agent or the gateway trusts (specification 2). */
export function distrustProblems(places: readonly string[], { uid = process.geteuid?.() }: FileContext): Problem[] {
  if (uid === undefined) return [];
  return distrustedOnTheWay(places, uid).map((one) => ({
    ...{ key: "", origin: one.place, place: one.place },
    ...distrustText(one),
  }));
}

/** The same directory bars the way to many files, and one command fixes it. */
export function oncePerPlace(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ place }) => place === undefined || (!seen.has(place) && seen.add(place)));
}
