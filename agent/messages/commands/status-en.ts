interface Since {
  readonly at: string;
}

/** The screen of `status` and the answers of `refresh`. */
export const statusEn = {
  "status.authinfo": "authinfo",
  "status.held": ({ state, generation }: { readonly state: string; readonly generation: number }) =>
    `${state}, generation ${generation}`,
  "status.held_unsaved": ({ state, generation }: { readonly state: string; readonly generation: number }) =>
    `${state}, generation ${generation}, not on disk yet`,
  "status.left": ({ time }: { readonly time: string }) => `${time} left`,
  "status.device": "device_id",
  "status.device_unknown": "not known yet",
  "status.last_error": "last error",
  "status.no_error": "none",
  "status.since": ({ at }: Since) => `since ${at}`,
  "status.what_to_do": "what to do",
  "status.configuration": "configuration",
  "status.drift_reload": ({ command }: { readonly command: string }) =>
    `the file has changed, but the agent still works with the earlier one. Reload it:\n  ${command}`,
  "status.drift_invalid": ({ command }: { readonly command: string }) =>
    `the file has changed and is invalid, the agent still works with the earlier one. See what is wrong:\n  ${command}`,
  "status.next_refresh": "next refresh",
  "status.refreshing": "under way",
  "status.refresh_unprovisioned": "once there is a configuration",
  "status.next_at": ({ at, wait }: { readonly at: string; readonly wait: string }) => `${at} (in ${wait})`,
  "status.bridge": "bridge",
  "status.bridge_ready": "ready",
  "status.bridge_handshake": "handshake",
  "status.bridge_opening": "not open",
  "status.bridge_closed": "closed",
  "status.bridge_is": ({ state, facts }: { readonly state: string; readonly facts: string }) =>
    `${state} ${facts}`.trim(),
  "status.not_configured": "not configured yet",
  "status.wechatpay": "WeChat Pay",
  "status.url": ({ url, outcome }: { readonly url: string; readonly outcome: string }) => `${url} ${outcome}`,
  "status.url_timed": ({ url, outcome, ms }: { readonly url: string; readonly outcome: string; readonly ms: number }) =>
    `${url} ${outcome} ${ms} ms`,
  "status.in_use": ({ url }: { readonly url: string }) => `${url} (in use)`,
  "status.url_unasked": "not asked yet",
  "status.url_ok": "ok",
  "status.store": "kept state",
  "status.clock": "clock",
  "status.clock_uncompared": "not compared with WeChat Pay's clock yet",
  "status.clock_behind": ({ behind }: { readonly behind: string }) =>
    `wrong: ${behind} before a time that WeChat Pay has signed`,
  "status.clock_confirmed": ({ offset }: { readonly offset: string }) => `confirmed, ${offset}`,
  "status.clock_unconfirmed": ({ offset }: { readonly offset: string }) => `not confirmed, ${offset}`,
  "status.warning": "warning",
  "status.warning_since": ({ code, at, text }: Since & { readonly code: string; readonly text: string }) =>
    `${code} since ${at}: ${text}`,
  "status.disk": "disk",
  "status.disk_free": ({
    free,
    used,
    directory,
  }: {
    readonly free: string;
    readonly used: number;
    readonly directory: string;
  }) => `${free} free, ${used}% used (${directory})`,
  "status.memory": "memory",
  "status.memory_free": ({ free, all }: { readonly free: string; readonly all: string }) =>
    `${free} of ${all} available`,
  "status.system": "system",
  "status.more": ({ lines }: { readonly lines: number }) => `... ${lines} more: facepay-agent status`,
  "status.leave": "Ctrl-C to leave",
  "status.agent": "agent",
  "status.change": ({ state, facts }: { readonly state: string; readonly facts: string }) => `${state} ${facts}`,
  "refresh.obtained": ({ generation, left }: { readonly generation: number; readonly left: number }) =>
    `new authinfo obtained: generation ${generation}, ${left} s left`,
  "refresh.obtained_unsaved": ({ generation, left }: { readonly generation: number; readonly left: number }) =>
    `new authinfo obtained: generation ${generation}, ${left} s left (not on disk yet)`,
  "refresh.failed": ({ code, failure }: { readonly code: string; readonly failure: string }) =>
    `not obtained: ${code} ${failure}`,
  "refresh.too_soon": ({ code }: { readonly code: string }) =>
    `not obtained: ${code} a refresh was requested less than 10 s ago; wait 10 s and try again`,
  "refresh.what_to_do": ({ remedy }: { readonly remedy: string }) => `what to do: ${remedy}`,
};
