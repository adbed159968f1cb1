import type { Bilingual } from "../common/language.ts";
import { agentKeys, fieldOf } from "../config/keys/schema.ts";
import { nearestKey } from "../config/settings.ts";
import type { TomlValue } from "./edit-toml.ts";
import { checked } from "./questions.ts";

export interface Wrong {
  readonly key: string;
  readonly what: Bilingual;
}

/** `--set section.key=value`, checked by the configuration's own table; every problem at once. */
export function answersFrom(settings: readonly string[]): {
  readonly given: Map<string, TomlValue>;
  readonly wrong: Wrong[];
} {
  const given = new Map<string, TomlValue>();
  const wrong: Wrong[] = [];
  for (const setting of settings) {
    const at = setting.indexOf("=");
    const key = setting.slice(0, Math.max(at, 0)).trim();
    if (at < 0) {
      const example = {
        zh: "应写成 --set identity.sp_mchid=1900000100",
        en: "write --set identity.sp_mchid=1900000100",
      };
      wrong.push({ key: setting, what: example });
    } else if (fieldOf(key) === undefined) {
      const near = nearestKey(key, agentKeys);
      wrong.push({ key, what: { zh: `没有这个键，最接近的是 ${near}`, en: `is no key; the nearest is ${near}` } });
    } else {
      const result = checked(key, setting.slice(at + 1).trim());
      if (!result.ok) wrong.push({ key, what: result.what });
      else if (result.value !== undefined) given.set(key, result.value);
    }
  }
  return { given, wrong };
}
