/** How much is driven. Seeds and figures are the same on every machine. */
export interface Size {
  readonly seeds: number;
  /** Which end of the interval of a regret is judged: the upper one, or with few seeds the mean itself. */
  readonly judged: "upper end" | "mean";
  /** Every length of a link trace is multiplied by this. */
  readonly scale: number;
  /** The traces that are driven with a weekly demand. */
  readonly demand: readonly ("single" | "clustered" | "night" | "cellular")[];
  readonly loopDays: number;
  readonly clockSeeds: number;
  readonly clockDays: number;
  readonly fleetSeeds: number;
  readonly fleets: readonly number[];
  readonly quotaFleet: number;
}

export const FULL: Size = {
  seeds: 20,
  judged: "upper end",
  scale: 1,
  demand: ["single", "clustered", "night", "cellular"],
  loopDays: 7,
  clockSeeds: 20,
  clockDays: 3,
  fleetSeeds: 20,
  fleets: [10_000, 1_000_000],
  quotaFleet: 200_000,
};

/** Under twenty seconds, for a test. */
export const QUICK: Size = {
  seeds: 4,
  judged: "mean",
  scale: 0.12,
  demand: ["night"],
  loopDays: 0.25,
  clockSeeds: 2,
  clockDays: 0.4,
  fleetSeeds: 2,
  fleets: [10_000, 50_000],
  quotaFleet: 20_000,
};
