import type { Language } from "./language.ts";

/** What the screen at the other end can show. */
export interface ConsoleAbilities {
  /** Characters outside ASCII, Chinese among them. */
  readonly unicode: boolean;
  readonly colour: boolean;
  /** The cursor can be moved: a picture can be drawn over the one before. */
  readonly redraw: boolean;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * By the environment, as programs have always guessed it. The kernel's own console (`TERM=linux`) has no Chinese characters, whatever the
 * locale says; a locale that is not UTF-8 has none either, and none at all says nothing.
 */
export function abilitiesOf(env: Env, isTerminal: boolean): ConsoleAbilities {
  const { TERM = "", NO_COLOR = "" } = env;
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  const capable = isTerminal && TERM !== "" && TERM !== "dumb";
  return {
    unicode: isTerminal ? TERM !== "linux" && /utf-?8/i.test(locale) : locale === "" || /utf-?8/i.test(locale),
    colour: capable && NO_COLOR === "",
    redraw: capable,
  };
}

/** Chinese is of no use where it cannot be shown. */
export function shownLanguage(asked: Language, { unicode }: ConsoleAbilities): Language {
  return unicode ? asked : "en";
}
