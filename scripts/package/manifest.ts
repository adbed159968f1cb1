/** What the package holds, for either processor: the one list from which it is made. */
export interface Entry {
  /** Where it is installed, without the first slash. A directory when it has neither `from` nor `text`. */
  readonly to: string;
  /** A file, or a directory with all that is in it. */
  readonly from?: string;
  readonly text?: string;
  readonly mode?: number;
  /** Debian wants documentation packed. */
  readonly gzip?: true;
}

/** Texts that are made for each package. */
export interface MadeTexts {
  readonly copyright: string;
  readonly sbom: string;
  readonly changelog: string;
  readonly manual: string;
  readonly completion: string;
  readonly runtime: string;
  readonly program: string;
}

export interface Sources {
  /** The project's root. */
  readonly root: string;
  /** The bundled program, as scripts/build.ts leaves it. */
  readonly program: string;
  /** The package with the pinned Node for this processor. */
  readonly node: string;
  readonly made: MadeTexts;
}

const HOME = "usr/lib/facepay-agent";
const SHARE = "usr/share/facepay-agent";
const DOC = "usr/share/doc/facepay-agent";
/** The operator's server, for many terminals. */
const FLEET = [
  ...["README.md", "README.zh-CN.md", "runbook.md", "runbook.zh-CN.md", "mosquitto.conf", "facepay.acl"],
  ...["facepay-operator.acl", "exporter.yaml", "prometheus.yml", "alertmanager.yml", "rules.yml", "rules.test.yml"],
  "dashboard.json",
];
/** For cashier apps that are built against the installed package. */
const CLIENTS = [
  "node/facepay-agent.mjs",
  "node/facepay-agent.d.mts",
  "c/facepay_agent.c",
  "c/facepay_agent.h",
  "java/FacepayAgent.java",
];
const UNITS = "lib/systemd/system";

/** Kept by dpkg over updates when somebody has changed them. */
export const conffiles = ["/etc/facepay-agent/config.toml.example"] as const;

export function manifest({ root, program, node, made }: Sources): Entry[] {
  const own = (name: string) => `${root}/scripts/package/${name}`;
  return [
    { to: `${HOME}/facepay-agent.cjs`, text: made.program },
    { to: `${HOME}/lib`, from: `${program}/lib` },
    { to: `${HOME}/docs`, from: `${program}/docs` },
    { to: `${HOME}/packages.json`, from: `${program}/packages.json` },
    { to: `${HOME}/bin/node`, from: `${node}/bin/node`, mode: 0o755 },
    { to: "usr/bin/facepay-agent", from: own("debian/launcher"), mode: 0o755 },

    // The default configuration, every key explained in both languages; without a config.toml the agent waits for one.
    { to: "etc/facepay-agent/config.toml.example", from: `${root}/docs/config.example.toml` },
    { to: "etc/facepay-agent/config.d" },

    { to: `${UNITS}/facepay-agent.service`, from: own("systemd/facepay-agent.service") },
    { to: `${UNITS}/facepay-agent.socket`, from: own("systemd/facepay-agent.socket") },
    { to: `${UNITS}/facepay-agent-admin.socket`, from: own("systemd/facepay-agent-admin.socket") },
    { to: `${UNITS}/facepay-bridge.service`, from: own("systemd/facepay-bridge.service") },
    { to: `${SHARE}/systemd/systemd-248.conf`, from: own("systemd/systemd-248.conf") },
    { to: `${SHARE}/systemd/systemd-254.conf`, from: own("systemd/systemd-254.conf") },
    { to: "usr/lib/sysusers.d/facepay-agent.conf", from: own("systemd/sysusers.conf") },
    { to: "usr/lib/tmpfiles.d/facepay-agent.conf", from: own("systemd/tmpfiles.conf") },
    { to: "lib/udev/rules.d/99-facepay-bridge.rules", from: own("99-facepay-bridge.rules") },

    { to: `${DOC}/copyright`, text: made.copyright },
    { to: `${DOC}/changelog.gz`, text: made.changelog, gzip: true },
    { to: `${DOC}/sbom.cdx.json.gz`, text: made.sbom, gzip: true },
    { to: `${DOC}/README.Node`, text: made.runtime },
    { to: `${DOC}/examples/prometheus-rules.yml`, from: `${root}/docs/prometheus-rules.yml` },
    ...FLEET.map((file) => ({ to: `${DOC}/examples/fleet/${file}`, from: `${root}/docs/fleet/${file}` })),
    { to: `${DOC}/examples/credentials.conf`, from: own("systemd/credentials.conf") },
    ...CLIENTS.map((file) => ({ to: `${DOC}/clients/${file}`, from: `${root}/docs/clients/${file}` })),
    { to: "usr/share/man/man1/facepay-agent.1.gz", text: made.manual, gzip: true },
    { to: "usr/share/bash-completion/completions/facepay-agent", text: made.completion },
    { to: "usr/share/lintian/overrides/facepay-agent", from: own("debian/lintian-overrides") },
  ];
}
