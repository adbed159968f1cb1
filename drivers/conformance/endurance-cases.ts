import { type CheckCase, HELLO, rawData } from "./check-case.ts";
import { demand, RuleBroken } from "./verdict.ts";

/** Every so many calls a rawdata stands among the hellos. */
const RAWDATA_EVERY = 100;

export const enduranceCases: readonly CheckCase[] = [
  {
    id: "E01",
    rule: "One call is in flight at a time; every call has a deadline",
    title: { zh: "连续调用，无一丢失", en: "calls in a row, none lost" },
    async run(context) {
      const { line, limits, clock } = context;
      const startedAt = clock.boot();
      const times: number[] = [];
      for (let n = 1; n <= limits.calls; n++) {
        try {
          if (n % RAWDATA_EVERY === 0) {
            const { facts } = await rawData(context);
            demand(facts.return_code === "SUCCESS", "rawdata 失败", "a rawdata failed");
          } else times.push((await line.ask("hello", HELLO, { timeoutMs: limits.helloMs })).ms);
        } catch (error) {
          if (!(error instanceof RuleBroken)) throw error;
          throw new RuleBroken(`第 ${n} 次调用：${error.words.zh}`, `call ${n}: ${error.words.en}`);
        }
      }
      const seconds = (clock.boot() - startedAt) / 1000;
      times.sort((a, b) => a - b);
      const at = (part: number) => (times[Math.floor(part * times.length)] ?? 0).toFixed(2);
      const quick = `hello p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
      return {
        zh: `${limits.calls} 次调用，${seconds.toFixed(1)} 秒，${quick}`,
        en: `${limits.calls} calls in ${seconds.toFixed(1)} s, ${quick}`,
      };
    },
  },
];
