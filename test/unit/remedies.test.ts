import { describe, expect, it } from "vitest";
import { failureRules } from "../../agent/failures.ts";
import { remedyFor } from "../../agent/remedies.ts";
import { warningTexts } from "../../agent/words/warning-texts.ts";

describe("remedies", () => {
  it.each(Object.keys(failureRules))("tell in both languages what to do about %s", (code) => {
    const remedy = remedyFor(code);
    expect(remedy?.zh).toMatch(/[\u4e00-\u9fff]/);
    expect(remedy?.en).toMatch(/^[A-Z].*[.]$/);
  });

  it("are not invented for a code of another version", () => {
    expect(remedyFor("NEVER_HEARD_OF")).toBeUndefined();
  });

  it.each(Object.entries(warningTexts))("say what the warning %s means", (_code, text) => {
    expect(text.zh).toMatch(/[\u4e00-\u9fff]/);
    expect(text.en).toMatch(/[a-z]/);
  });
});
