import type { Clock } from "../../common/clock.ts";
import { systemCode } from "../../common/errors.ts";
import { replaceFile } from "../../common/files/replace-file.ts";
import type { Log } from "../../common/log/log.ts";

export interface TextfileDeps {
  /** For a node exporter's textfile collector, which reads `*.prom` only and so never the file in the making. */
  readonly path: string;
  readonly render: () => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Told why the file cannot be written, and with undefined when it can again. */
  readonly onTrouble: (reason: string | undefined) => void;
}

const EVERY_MS = 60_000;

/** Rewrites the metrics file at once and every 60 s until the signal falls (specification 2). Never rejects. */
export async function startTextfile({ path, render, clock, log, signal, onTrouble }: TextfileDeps): Promise<void> {
  let failing: string | undefined;
  while (!signal.aborted) {
    try {
      await replaceFile(path, await render(), { mode: 0o644 });
      if (failing !== undefined) log.info("METRICS_TEXTFILE_RECOVERED", { path });
      failing = undefined;
      onTrouble(undefined);
    } catch (error) {
      const reason = systemCode(error) ?? "unknown";
      // Once for each reason, not once a minute.
      if (reason !== failing) log.warn("METRICS_TEXTFILE_FAILED", { path, reason, error });
      failing = reason;
      onTrouble(reason);
    }
    // A rejection means the end, which the loop sees.
    await clock.sleep(EVERY_MS, signal).catch(() => undefined);
  }
}
