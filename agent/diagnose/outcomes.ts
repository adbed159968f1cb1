import type { Bilingual } from "../language.ts";
import type { Outcome } from "./check.ts";

interface More {
  readonly value?: unknown;
  readonly remedy?: Bilingual | undefined;
}

/** A finding in both languages. */
export function found(status: "pass" | "warn" | "fail", zh: string, en: string, { value, remedy }: More = {}): Outcome {
  return {
    status,
    ...(value === undefined ? {} : { value }),
    detail: { zh, en },
    ...(remedy === undefined ? {} : { remedy }),
  };
}

/** What cannot be learned here. `because`: the check whose failure is the reason. */
export function skipped(zh: string, en: string, because?: string): Outcome {
  return { status: "skip", detail: { zh, en }, ...(because === undefined ? {} : { because }) };
}

export function withoutConfig(): Outcome {
  return skipped("没有可用的配置", "there is no usable configuration", "cfg.valid");
}
