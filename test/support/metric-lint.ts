/** A family of a Prometheus text: what its comments say, and its samples. */
interface Family {
  readonly name: string;
  help?: string;
  type?: string;
  readonly samples: string[];
}

const NOT_BASE_UNITS =
  /_(milliseconds?|microseconds?|minutes?|hours?|days?|ms|kilobytes?|megabytes?|kb|mb|percent)(_|$)/;

/**
 * What `promtool check metrics` finds fault with in counters and gauges, for machines without it (Prometheus, "Metric and label naming";
 * text format 0.0.4). One line for each fault.
 */
export function lintMetrics(text: string): string[] {
  const families = new Map<string, Family>();
  const faults: string[] = [];
  let last: string | undefined;
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const [, keyword, named = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    const name = keyword === undefined ? (/^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0] ?? line) : named;
    const known = families.get(name);
    if (known !== undefined && last !== name) faults.push(`${name}: its lines do not stand together`);
    const family = known ?? { name, samples: [] };
    families.set(name, family);
    last = name;
    if (keyword === "HELP") family.help = rest;
    else if (keyword === "TYPE") family.type = rest;
    else family.samples.push(line);
  }
  for (const family of families.values()) faults.push(...faultsOf(family).map((fault) => `${family.name}: ${fault}`));
  return faults;
}

function faultsOf({ name, help = "", type, samples }: Family): string[] {
  const series = samples.map((line) => line.replace(/ \S+$/, ""));
  const rules: [boolean, string][] = [
    [help === "", "no HELP"],
    [type !== "counter" && type !== "gauge", `type ${type}`],
    [type === "counter" && !name.endsWith("_total"), 'a counter should end with "_total"'],
    [type !== "counter" && name.endsWith("_total"), 'only a counter ends with "_total"'],
    [/_(count|sum|bucket)$/.test(name), "a suffix of histograms and summaries"],
    [/_(counter|gauge)(_|$)/.test(name), "the type in the name"],
    [/[A-Z:]/.test(name), "a capital or a colon"],
    [NOT_BASE_UNITS.test(name), "no base unit"],
    [new Set(series).size !== series.length, "a sample twice"],
    [samples.some((line) => !/^\S+(\{.*\})? [-+]?(\d[\d.e+-]*|Nan|Inf)$/.test(line)), "a sample without a number"],
  ];
  return rules.flatMap(([broken, fault]) => (broken ? [fault] : []));
}
