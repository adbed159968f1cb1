import { shellWord } from "../../common/shell-word.ts";

/** What diagnose finds about the machine, the service, the clock, the kept state and the local API. */
export const diagnoseTerminalEn = {
  plain: ({ text }: { readonly text: string }) => text,
  "system.systemd_old": ({ name, systemd }: { readonly name: string; readonly systemd: number }) =>
    `${name}, systemd ${systemd} is too old`,
  "system.not_supported": ({ name }: { readonly name: string }) => `${name} is not among the supported systems`,
  "system.node_old": ({ version }: { readonly version: string }) => `Node ${version} is too old`,
  "system.node_not_lts": ({ version }: { readonly version: string }) =>
    `Node ${version} is not a known long-term release`,
  "system.node_maintained": ({ version, ends }: { readonly version: string; readonly ends: string }) =>
    `Node ${version}, maintained until ${ends}`,
  "system.as_packaged": "as packaged",
  "system.differs": ({ file, more }: { readonly file: string; readonly more: number }) =>
    `differs from the package: ${file}${more > 0 ? ` and ${more} more` : ""}`,
  "system.not_a_package": "not installed as a deb package",
  "system.dpkg_silent": "dpkg --verify gave no result",
  "system.memory": ({ mb, percent }: { readonly mb: number; readonly percent: number }) =>
    `${mb} MB available (${percent} %)`,
  "service.started_at_boot": "started at boot",
  "service.unit_off": ({ id, state }: { readonly id: string; readonly state: string }) => `${id} is ${state}`,
  "service.unmask": ({ id }: { readonly id: string }) =>
    `Unmask it and enable it:\n  systemctl unmask ${id}\n  systemctl enable --now facepay-agent.socket facepay-agent`,
  "service.stopped": ({ state }: { readonly state: string }) => `the service is not running (${state})`,
  "service.failed": ({
    state,
    result,
    code,
  }: {
    readonly state: string;
    readonly result: string;
    readonly code: string;
  }) => `the service is not running (${state}, ${result}, exit ${code})`,
  "service.running_for": ({ seconds }: { readonly seconds: number }) => `has been running for ${seconds} s`,
  "service.look_again": "It has just started; look again in a minute.",
  "service.no_restart": "no restart in 24 h",
  "service.restarts": ({ restarts }: { readonly restarts: number }) => `${restarts} restart(s) since it was started`,
  "service.by_hand_running": "not installed as a service; it is running",
  "service.by_hand_stopped": "not installed as a service, and not running",
  "service.by_hand_silent": ({ pid, socket }: { readonly pid: number; readonly socket: string }) =>
    `not installed as a service; process ${pid} runs, but ${socket} does not answer`,
  "service.no_directory": "it cannot start without its state directory",
  "disk.few_inodes": ({ directory, inodes }: { readonly directory: string; readonly inodes: number }) =>
    `${directory}: only ${inodes} more files can be created (inodes)`,
  "disk.free": ({
    directory,
    mb,
    percent,
  }: {
    readonly directory: string;
    readonly mb: number;
    readonly percent: number;
  }) => `${directory}: ${mb} MB free (${percent} %)`,
  "disk.latency": ({ ms, count }: { readonly ms: number; readonly count: number }) =>
    `95 % of ${count} writes reached the disk within ${ms} ms`,
  "disk.not_tried": "no trial write was possible",
  "disk.mount_unknown": "the mount is not known",
  "disk.read_only": ({ point, type }: { readonly point: string; readonly type: string }) =>
    `${point} (${type}) is mounted read-only`,
  "disk.writable": ({ point, type }: { readonly point: string; readonly type: string }) =>
    `${point} (${type}) is writable`,
  "time.no_service": "there is no time service that could be asked",
  "time.synced": "synchronised",
  "time.agrees": "not synchronised, but it agrees with WeChat Pay's clock",
  "time.not_synced": ({ minutes }: { readonly minutes: number }) => `not synchronised (${minutes} min after boot)`,
  "time.offset": ({ offset }: { readonly offset: string }) => `${offset} (300 s is the limit)`,
  "time.behind": ({ behind }: { readonly behind: string }) =>
    `this clock reads ${behind} before a time that WeChat Pay has signed, so the authinfo's age is unknown`,
  "time.set":
    "Set the clock. If it is wrong after each power cut, replace the clock battery or boot with network:\n  timedatectl set-ntp true",
  "time.before_program": ({ day }: { readonly day: string }) => `this clock says ${day}, before this program was made`,
  "time.rtc": "there is a hardware clock",
  "time.no_rtc_kept": "no hardware clock; the time service keeps the time",
  "time.no_rtc": "no hardware clock was found",
  "time.not_told": "WeChat Pay has not told its time",
  "time.other_zone": ({ zone }: { readonly zone: string }) => `${zone}, not China's time`,
  "store.other_identity": "the kept state belongs to another merchant or shop and is not used",
  "store.check_identity": "Nothing to do after a change of merchant; else check [identity].",
  "store.copy_damaged": ({ fault }: { readonly fault: string }) =>
    `the state in use is intact; the older copy state.prev.sealed is damaged (${fault})`,
  "store.intact": "intact",
  "store.older_serves": ({ fault }: { readonly fault: string }) =>
    `state.sealed is damaged (${fault}); the older copy is used`,
  "store.unusable": ({ fault }: { readonly fault: string }) =>
    `the kept state cannot be opened (${fault}); it has to be fetched anew`,
  "store.key_put_away": "the key is a system credential, which is there only while the service runs",
  "store.recovered": "damaged and recovered within the last week",
  "store.copy_renewed": "The next write makes it again; if this recurs, replace the storage.",
  "store.watch": "The authinfo is fetched again automatically; if this recurs, replace the storage.",
  "store.key_lost": "the key store.key is lost, so the kept state cannot be opened",
  "store.not_there": ({ directory }: { readonly directory: string }) => `${directory} does not exist yet`,
  "store.trial_good": ({ ms }: { readonly ms: number }) => `a trial write succeeded (${ms} ms)`,
  "store.trial_failed": ({
    directory,
    errno,
    step,
  }: {
    readonly directory: string;
    readonly errno: string;
    readonly step: string;
  }) => `${directory}: a trial write failed (${errno} in ${step})`,
  "api.missing": ({ path }: { readonly path: string }) => `${path} is missing`,
  "api.not_socket": ({ path }: { readonly path: string }) => `${path} is not a socket`,
  "api.remove": ({ path }: { readonly path: string }) =>
    `Remove it and restart the service:\n  rm ${shellWord(path)}\n  systemctl restart facepay-agent`,
  "api.other_group": ({
    path,
    actual,
    name,
  }: {
    readonly path: string;
    readonly actual: string;
    readonly name: string;
  }) => `${path} has the group ${actual}, not ${name}`,
  "api.set_group": ({ name, path }: { readonly name: string; readonly path: string }) =>
    `Restart the service, or run:\n  chgrp ${name} ${shellWord(path)}`,
  "api.mode": ({ path, mode }: { readonly path: string; readonly mode: string }) => `${path} (${mode})`,
  "api.other_mode": ({ path, has, wanted }: { readonly path: string; readonly has: string; readonly wanted: string }) =>
    `${path} has mode ${has}, not ${wanted}`,
  "api.set_mode": ({ wanted, path }: { readonly wanted: string; readonly path: string }) =>
    `Restart the service, or run:\n  chmod ${wanted} ${shellWord(path)}`,
  "api.silent": ({ socket }: { readonly socket: string }) => `the agent does not answer on ${socket}`,
  "api.silent_process": ({ pid, socket }: { readonly pid: number; readonly socket: string }) =>
    `the agent (process ${pid}) does not answer on ${socket}`,
  "api.answers": ({ status, ms }: { readonly status: number; readonly ms: number }) => `answers ${status} in ${ms} ms`,
  "api.nobody_listens": ({ socket }: { readonly socket: string }) => `no program listens on ${socket}`,
  "api.no_answer": ({ socket }: { readonly socket: string }) => `${socket} does not answer`,
  "api.no_process": "the agent's process was not found",
  "api.local_only": "local sockets only",
  "api.exposed": ({ who }: { readonly who: string }) => `the local API is open to the network: ${who}`,
  "client.refused": ({ reasons, served }: { readonly reasons: readonly string[]; readonly served: number }) =>
    `requests were refused: ${reasons.join(", ")}; served ${served} time(s)`,
  "client.refused_count": ({ reason, count }: { readonly reason: string; readonly count: number }) =>
    `${reason} (${count})`,
  "denied.host": "Host header missing, doubled or invalid",
  "denied.target": "the request target is not a path",
  "denied.origin": "with an Origin header, from a web page",
  "denied.referer": "with a Referer header, from a web page",
  "denied.sec_fetch": "with a Sec-Fetch-Site header, from a web page",
  "denied.preflight": "a cross-origin request of a web page (preflight)",
  "denied.expect": "with an Expect header that is not supported",
  "denied.method": "wrong method",
  "denied.not_found": "no such path",
  "denied.content_type": "Content-Type is not application/json",
  "denied.body_unexpected": "a body where none is taken",
  "denied.body_too_large": "body too large",
  "denied.body_invalid": "the body is not the JSON object that is taken",
  "denied.headers_too_large": "headers too large",
  "denied.malformed": "not an HTTP/1.1 request",
  "denied.request_timeout": "the request was not sent in time",
  "denied.requests_per_connection": "too many requests on one connection",
  "denied.crowded": "too many connections",
  "denied.subscribers": "too many event streams",
  "denied.slow_subscriber": "an event stream that was not read in time",
  "denied.too_busy": "too many calls waiting for the SDK",
  "denied.too_soon": "a refresh within 10 s of the one before",
  "client.correct": "Correct the cashier app's requests as docs/cashier-api.md describes (Host, method, Content-Type).",
  "client.served": ({ served }: { readonly served: number }) => `read by the cashier app ${served} time(s)`,
  "client.never": "no cashier app has asked since the start",
  "client.no_counts": "the counts cannot be read",
  "client.group_empty": ({ detail, group }: { readonly detail: string; readonly group: string }) =>
    `${detail}; the group ${group} has no member`,
  "client.join_group": ({ group }: { readonly group: string }) =>
    `Add the cashier app's user to the group, then restart the cashier app:\n  usermod -aG ${group} CASHIER_USER`,
  "telemetry.none": "no [telemetry] in the configuration",
  "telemetry.reports": ({ broker }: { readonly broker: string }) => `reports to ${broker}`,
  "telemetry.down": ({ at, detail }: { readonly at: string; readonly detail: string }) =>
    `nothing is reported since ${at}: ${detail}`,
};
