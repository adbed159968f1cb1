import type { Reporter, TestCase, TestModule } from "vitest/node";

/** Says after a run what was not tried on this machine, and why: `skip(reason)`, or the title of what carries its reason itself. */
export default class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>();
    for (const module of modules) {
      for (const test of module.children.allTests("skipped")) {
        const why = reason(test);
        if (why !== undefined) counts.set(why, (counts.get(why) ?? 0) + 1);
      }
    }
    for (const [why, count] of counts) process.stdout.write(`skipped: ${why}${count > 1 ? ` (${count} tests)` : ""}\n`);
  }
}

/** Undefined for what `-t` on the command line has left out. */
function reason(test: TestCase): string | undefined {
  const result = test.result();
  if (result.state === "skipped" && result.note !== undefined) return result.note;
  return test.options.mode === "skip" ? `${test.module.relativeModuleId}: ${test.fullName}` : undefined;
}
