const PROGRAMS =
  "systemctl|facepay-agent|timedatectl|journalctl|chmod|chown|chgrp|usermod|groupadd|apt|kill|npm|ls|ldd|unset|curl";
/** What stands behind a program to be typed: words of these, or anything that no sentence has, with a digit or a sign in it. */
const WORDS =
  "run|status|refresh|diagnose|provision|config|check|show|schema|bridge|gateway|simulate|enable|start|stop|restart|reload|unmask|install|true|root|dialout|PID";
const COMMANDS = new RegExp(
  `\\b(?:${PROGRAMS})\\b(?: +(?:(?:${WORDS})\\b|[\\w.@%+'/:=-]*[\\d./:=@%+'-][\\w.@%+'/:=-]*|FILE|&&))*`,
  "g",
);
/** Names of things: of systems and their programs, of keys that stand in a file with words of their own. */
const NAMES =
  /Debian GNU\/Linux|unix socket|Node [\d.]+|JSON Schema|WeChat Pay|Ctrl-C|GET \/\S+|POST \/\S+|[A-Z]+ alone|Simulated \w+(?: \w+)*/g;

/**
 * English that stands in Chinese text: two words side by side that are no code, key, path, command or name, and no peer's own words,
 * which stand in 「」.
 */
export function englishIn(text: string): string[] {
  const rest = text
    // A peer that speaks Chinese, too, is not quoted in English.
    .replace(/「(?![^」]*[\u4e00-\u9fff][^」]* \/ )[^」]*」/g, "·")
    .replace(COMMANDS, "·")
    .replace(NAMES, "·")
    // URLs, paths, options, and identifiers with a dot, a slash, an underscore or a hyphen in them.
    .replace(/\b(?:https?|unix):\S+/g, "·")
    .replace(/(?:^|(?<=[\s（：，、(]))[~.]?\/[^\s，。；：（）、]+/gm, "·")
    .replace(/--[a-z][\w-]*/g, "·")
    .replace(/<[^>]*>|"[^"\n]*"/g, "·")
    .replace(/[A-Za-z0-9]+(?:[._/=:-][A-Za-z0-9*]+)+/g, "·")
    // Codes.
    .replace(/\b[A-Z][A-Z0-9_]+\b/g, "·");
  return [...rest.matchAll(/[A-Za-z][a-z']+(?:[ ,;:]+[A-Za-z][a-z']+)+/g)].map(([words]) => words);
}
