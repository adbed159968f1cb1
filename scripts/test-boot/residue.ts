import { run } from "../test-machines/debian.ts";

/** What every installation of any package changes, whatever it is. */
const NOT_OURS = [
  /^\/(proc|sys|dev|run|tmp|root)(\/|$)/,
  /^\/var\/(log|lib\/dpkg|lib\/systemd|cache\/(apt|debconf|ldconfig|man))(\/|$)/,
  /^\/var\/(lib\/apt|tmp)(\/|$)/,
  // A boot of systemd 247 makes these.
  /^\/(etc\/mtab|var\/(lib|cache)\/private)$/,
  /^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid|machine-id|\.pwd\.lock|ld\.so\.cache)-?$/,
  /^\/(etc|var)\/\.updated$/,
  /^\/opt\/facepay-peers(\/|$)/,
  /^\/etc\/systemd\/system\/simulated-(bridge|pay)\.service$/,
];

/** Every file of a machine's disk that a package could have left behind. */
export function inventory(machine: string): Set<string> {
  const names = run("find", [machine, "-xdev", "-printf", "/%P\\n"]).split("\n");
  return new Set(names.filter((name) => name !== "" && !NOT_OURS.some((pattern) => pattern.test(name))));
}
