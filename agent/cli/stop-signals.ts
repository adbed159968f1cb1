/** Where the signals come from: the process. */
export type Signals = Pick<NodeJS.EventEmitter, "on" | "off">;

/** SIGTERM and SIGINT end the work, SIGHUP reloads; one that comes during the start or a reload is followed by one more. */
export function stopSignals(signals: Signals) {
  const stopped = Promise.withResolvers<void>();
  let reload: (() => Promise<void>) | undefined;
  let reloading: Promise<void> = Promise.resolve();
  let early = false;
  const onStop = () => stopped.resolve();
  const onReload = () => {
    const act = reload;
    if (act) reloading = reloading.then(act);
    else early = true;
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) signals.on(signal, onStop);
  signals.on("SIGHUP", onReload);
  return {
    async reloadingWith(act: () => Promise<void>): Promise<void> {
      reload = act;
      if (early) onReload();
      await stopped.promise;
      reload = undefined;
      await reloading;
    },
    /** As SIGHUP does. */
    reload: onReload,
    release() {
      for (const signal of ["SIGTERM", "SIGINT"] as const) signals.off(signal, onStop);
      signals.off("SIGHUP", onReload);
    },
  };
}
