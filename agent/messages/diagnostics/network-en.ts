interface Host {
  readonly host: string;
}
interface Proxy {
  readonly proxy: string;
}

/** What diagnose finds on the way to WeChat Pay or the gateway, and about the authinfo. */
export const diagnoseNetworkEn = {
  "link.here": "the configured base URL is on this machine",
  "link.no_address": ({ cards }: { readonly cards: string }) => `no network address (${cards})`,
  "link.ask_for_address": "Connected, but no address was given: restart the router, or set a fixed address.",
  "link.no_route": ({ host, cards }: Host & { readonly cards: string }) =>
    `no route to ${host} (${cards}): no default gateway`,
  "link.set_gateway": "There is no default gateway: restart the router, or set the gateway of this machine.",
  "link.weak": ({ name, percent }: { readonly name: string; readonly percent: number }) =>
    `Wi-Fi of ${name} at ${percent} %`,
  "link.move_nearer": "Weak Wi-Fi: move nearer to the router or use a cable.",
  "router.none": "no router is on the way",
  "router.pinged": ({ router, ms, loss }: { readonly router: string; readonly ms: number; readonly loss: number }) =>
    `${router} ${ms} ms, ${loss} % loss`,
  "router.slow": ({ router, ms, loss }: { readonly router: string; readonly ms: number; readonly loss: number }) =>
    `${router} ${ms} ms, ${loss} % loss, very slow`,
  "router.neighbour": ({ router }: { readonly router: string }) => `${router} is there (ARP)`,
  "router.silent": ({ router, by }: { readonly router: string; readonly by: string }) =>
    `${router} does not answer (${by})`,
  "router.unknown": "there is no ping program and no ARP table to read",
  "dns.numbers": "the configured hosts are given by number",
  "dns.unresolved": ({ names }: { readonly names: string }) => `not resolved: ${names}`,
  "dns.primary_unresolved": ({ names }: { readonly names: string }) => `the primary is not resolved: ${names}`,
  "dns.backup_unresolved": ({ names }: { readonly names: string }) => `a backup is not resolved: ${names}`,
  "dns.resolver_fails": ({ server, outcome }: { readonly server: string; readonly outcome: string }) =>
    `resolver ${server} fails (${outcome}), another works`,
  "dns.resolver_slow": ({ server, ms }: { readonly server: string; readonly ms: number }) =>
    `resolver ${server} took ${ms} ms`,
  "dns.nothing_to_resolve": "no name has to be resolved",
  "dns.impossible": ({ answers }: { readonly answers: string }) => `impossible address: ${answers}`,
  "ip_version.in_use": "the hosts have addresses of a kind that is in use here",
  "proxy.none": "no proxy is configured",
  "proxy.exempt": ({ proxy }: Proxy) => `${proxy} is set, but NO_PROXY exempts every base URL`,
  "proxy.good": ({ proxy }: Proxy) => `${proxy} can be used`,
  "proxy.authentication": ({ proxy }: Proxy) => `${proxy} asks for other credentials (407)`,
  "proxy.refuses": ({ proxy, status }: Proxy & { readonly status: number }) =>
    `${proxy} refuses the tunnel (${status})`,
  "proxy.unreachable": ({ proxy }: Proxy) => `${proxy} cannot be reached`,
  "captive.none": "no login page in between",
  "captive.one": ({ host }: Host) => `${host} is answered by something else; another base URL is not`,
  "captive.not_payment": ({ host, status }: Host & { readonly status: string }) =>
    `what answers for ${host} is no payment interface (HTTP ${status})`,
  "captive.page": ({ host, status }: Host & { readonly status: string }) =>
    `a page of the network answers for ${host} (HTTP ${status})`,
  "captive.page_at": ({ host, status, at }: Host & { readonly status: string; readonly at: string }) =>
    `a page of the network answers for ${host} (HTTP ${status} -> ${at})`,
  "tls.trusted": "the certificate is trusted",
  "tls.no_connection": "no connection was made",
  "tls.see_clock": "only this machine's clock speaks against the certificate: see 202 time.offset",
  "tls.clock_wrong": "by this machine's clock the certificate is not valid yet: the clock is wrong",
  "tls.expired": ({ host }: Host) => `the certificate of ${host} has expired`,
  "tls.other_name": ({ host, subject }: Host & { readonly subject: string }) =>
    `the certificate of ${host} is for ${subject}`,
  "tls.untrusted": ({ host, issuer }: Host & { readonly issuer: string }) =>
    `the certificate of ${host} is issued by ${issuer}, which this terminal does not trust`,
  "tls.intercepted": ({ host, issuer }: Host & { readonly issuer: string }) =>
    `HTTPS is intercepted: the certificate of ${host} is issued by ${issuer}`,
  "tls.failed": ({ host }: Host) => `no secure connection with ${host} could be agreed`,
  "mtu.answers": "large packets are answered",
  "mtu.not_the_size": "small packets are not answered either",
  "mtu.large_lost": ({ host, octets }: Host & { readonly octets: number }) =>
    `${host} answers packets of up to ${octets} octets, and no larger ones`,
  "reach.answers": ({ host, ms }: Host & { readonly ms: number }) => `${host} answers, ${ms} ms`,
  "reach.backup_only": ({ host, primary }: Host & { readonly primary: string }) =>
    `only the backup ${host} answers; ${primary}`,
  "reach.list": ({ hosts }: { readonly hosts: readonly string[] }) => hosts.join("; "),
  "reach.failure": ({ host, failure }: Host & { readonly failure: string }) => `${host} answers ${failure}`,
  "reach.failure_id": ({ host, failure, requestId }: Host & { readonly failure: string; readonly requestId: string }) =>
    `${host} answers ${failure} (Request-ID ${requestId})`,
  "reach.dns": ({ host }: Host) => `${host} is not resolved`,
  "reach.refused": ({ host }: Host) => `${host} refuses the connection`,
  "reach.timeout": ({ host }: Host) => `${host} gives no connection in time (perhaps a firewall drops it)`,
  "reach.tls_silent": ({ host }: Host) => `${host} takes the connection, but gives no TLS answer`,
  "reach.no_route": ({ host }: Host) => `${host} cannot be reached: no route`,
  "reach.lost": ({ host }: Host) => `${host} breaks the connection off`,
  "reach.silent": ({ host }: Host) => `${host} does not answer in time`,
  "reach.not_http": ({ host }: Host) => `${host} answers with something that is not HTTP`,
  "reach.large": ({ host }: Host) => `${host} answers with headers that are too large`,
  "reach.no_answer": ({ host }: Host) => `${host} does not answer`,
  "auth.obtained": "an authinfo was obtained with this configuration",
  "auth.not_requested": ({ detail }: { readonly detail: string }) =>
    `${detail}; without raw_data the request for an authinfo itself was not tried`,
  "auth.unknown": "no answer that could be judged",
  "auth.accepted": "the agent's last request was accepted",
  "auth.test_accepted": "the signed self-test was accepted",
  "auth.no_key": "no usable key could be read to sign with",
  "auth.clock": "this machine's clock is wrong",
  "auth.path": ({ path }: { readonly path: string }) =>
    `HTTP 404 for ${path}: the path in base_urls is wrong, or the gateway does not forward the self-test`,
  "auth.refused": ({ failure }: { readonly failure: string }) => `refused: ${failure}`,
  "auth.bad_signature": "the answer's signature does not fit public_key_file",
  "auth.bad_headers": "the answer's Wechatpay-* headers come twice or are damaged",
  "auth.unsigned": "the answer is not signed by WeChat Pay",
  "auth.client_certificate": "the gateway refused this terminal's client certificate",
  "authinfo.unknown": "the agent cannot be asked",
  "authinfo.stopped_because": ({ cause }: { readonly cause: string }) => `the agent is not running: fix ${cause} first`,
  "authinfo.stopped": "the agent is not running: nothing serves or renews the authinfo, and face payments will stop",
  "authinfo.good": ({ minutes }: { readonly minutes: number }) => `good for ${minutes} min`,
  "authinfo.failing": ({
    minutes,
    failures,
    failure,
  }: {
    readonly minutes: number;
    readonly failures: number;
    readonly failure: string;
  }) => `good for ${minutes} min, but ${failures} refresh attempt(s) have failed: ${failure}`,
  "authinfo.rejected": "rejected by the face SDK, being renewed",
  "authinfo.unprovisioned": "not configured yet",
  "authinfo.none_because": ({ state, cause }: { readonly state: string; readonly cause: string }) =>
    `no usable authinfo (${state}): fix ${cause} first`,
  "authinfo.none": ({ state }: { readonly state: string }) => `no usable authinfo (${state})`,
  "authinfo.none_failing": ({ state, failure }: { readonly state: string; readonly failure: string }) =>
    `no usable authinfo (${state}): ${failure}`,
};
