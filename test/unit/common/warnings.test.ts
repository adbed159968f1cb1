import { describe, expect, it } from "vitest";
import { Warnings } from "../../../agent/common/warnings.ts";

describe("standing warnings", () => {
  const at = (seconds: number) => ({ boot: seconds * 1_000, wall: 1_700_000_000_000 + seconds * 1_000 });
  const codes = (warnings: Warnings, seconds: number) => warnings.shown(seconds * 1_000).map(({ code }) => code);

  it("show when they have lasted, each for its own time, and not for a flap", () => {
    const warnings = new Warnings();
    warnings.set("REFRESH_FAILING", true, at(0), "PAY_DNS: no name");
    warnings.set("CONFIG_REMEMBERED", true, at(0));
    expect(codes(warnings, 59)).toEqual(["CONFIG_REMEMBERED"]);
    warnings.set("REFRESH_FAILING", false, at(59));
    warnings.set("REFRESH_FAILING", true, at(60));
    expect(codes(warnings, 119)).toEqual(["CONFIG_REMEMBERED"]);
    expect(codes(warnings, 120)).toEqual(["CONFIG_REMEMBERED", "REFRESH_FAILING"]);
  });

  it("tell since when they stand, by the first look, with the latest detail", () => {
    const warnings = new Warnings();
    warnings.set("REFRESH_FAILING", true, at(0), "PAY_DNS: no name");
    warnings.set("REFRESH_FAILING", true, at(70), "PAY_TIMEOUT: no answer");
    expect(warnings.shown(80_000)).toEqual([
      { code: "REFRESH_FAILING", sinceWallMs: at(0).wall, shownAfterS: 60, detail: "PAY_TIMEOUT: no answer" },
    ]);
  });
});
