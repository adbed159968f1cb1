/** What a technician calls each state of the authinfo, also in the line that systemd shows. */
export const statesEn = {
  "state.fresh": "fresh",
  "state.due": "due: still good, being renewed",
  "state.rejected": "rejected by the SDK, being renewed",
  "state.stale": "stale: past its assumed expiry",
  "state.expired": "expired",
  "state.absent": "absent",
  "state.unprovisioned": "not configured",
  "state.held": ({
    word,
    generation,
    minutes,
  }: {
    readonly word: string;
    readonly generation: number;
    readonly minutes: number;
  }) => `${word}, generation ${generation}, ${minutes} min left`,
};
