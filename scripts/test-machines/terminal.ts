import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { createPlayground } from "../../agent/simulator/playground.ts";
import type { ConfigSettings } from "../../agent/simulator/playground-config.ts";
import { type Architecture, chroot, ownArchitecture, root, run } from "./debian.ts";

/** Where the simulators live inside the machine. */
export const PEERS = "/opt/facepay-peers";
const PAY_PORT = 8443;
/** The programs that run inside, each bundled into one file. */
const INSIDE = ["peers", "watch", "control", "open-files"];
export const NODE = "/usr/lib/facepay-agent/bin/node";

export const unitText = (description: string, command: string, more = "") => `[Unit]
Description=${description}
${more}
[Service]
ExecStart=${NODE} ${command}
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
`;

/** Builds the package as it is published, or quickly when told "none"; returns its path. */
export function buildPackage(
  out: string,
  version: string,
  { architecture = ownArchitecture, compression }: { architecture?: Architecture; compression?: "none" } = {},
): string {
  const script = path.join(root, "scripts/package.ts");
  const how = ["--arch", architecture, "--out", out, "--deb-version", version];
  // npm may have to fetch what is for another processor, by the way that this environment describes.
  run(process.execPath, [script, ...how, ...(compression ? ["--compression", compression] : [])], process.env);
  return path.join(out, `facepay-agent_${version}_${architecture}.deb`);
}

/** Installs a package as an image builder does: in a chroot, where nothing is started. */
export async function install(machine: string, deb: string): Promise<void> {
  const name = path.basename(deb);
  await copyFile(deb, path.join(machine, "root", name));
  chroot(machine, `dpkg -i /root/${name}`);
}

/** Puts simulators, keys and a configuration that fits them into a machine where the package is installed. */
export async function provision(
  machine: string,
  overrides: ConfigSettings["overrides"] = {},
  driver: ConfigSettings["driver"] = { type: "socket", path: `${PEERS}/bridge.sock` },
): Promise<void> {
  const within = (file: string) => path.join(machine, file);
  const made = await mkdtemp(path.join(os.tmpdir(), "facepay-machine-"));
  try {
    const playground = await createPlayground(made);
    await playground.writeConfig({
      baseUrls: [`https://127.0.0.1:${PAY_PORT}`],
      driver,
      overrides: {
        // systemd's directory and sockets.
        store: { directory: undefined },
        api: { socket: undefined, socket_mode: undefined, admin_socket: undefined, admin_socket_mode: undefined },
        ...overrides,
      },
    });
    for (const name of await readdir(made)) {
      if (/\.(pem|toml)$/.test(name)) await copyFile(path.join(made, name), within(`etc/facepay-agent/${name}`));
    }
    chroot(
      machine,
      "cd /etc/facepay-agent && chown root:facepay-agent *.toml *.pem && chmod 0640 *.toml *.pem && " +
        "chown facepay-agent merchant-key.pem terminal-key.pem && chmod 0400 merchant-key.pem terminal-key.pem",
    );
    await mkdir(within(PEERS), { recursive: true });
    const { tls, platform, merchant, identity } = playground.wechatPayOptions;
    const pay = { tls, platform, merchant, identity, port: PAY_PORT };
    await writeFile(within(`${PEERS}/peers.json`), JSON.stringify({ deviceId: playground.identity.deviceId, pay }), {
      mode: 0o600,
    });
  } finally {
    await rm(made, { recursive: true, force: true });
  }
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(INSIDE.map((name) => [name, `scripts/test-machines/${name}.ts`])),
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    outExtension: { ".js": ".mjs" },
    outdir: within(PEERS),
    logLevel: "error",
  });
  const units = within("etc/systemd/system");
  for (const part of ["bridge", "pay"]) {
    const text = unitText(`Simulated ${part}`, `${PEERS}/peers.mjs ${part} ${PEERS}`);
    await writeFile(`${units}/simulated-${part}.service`, text);
  }
}

/** A start of nothing but the agent and the watching cashier app, which writes to `output`: what else boots only takes time. */
export async function watchOnly(machine: string, output: string): Promise<void> {
  const units = path.join(machine, "etc/systemd/system");
  const command = `${PEERS}/watch.mjs /run/facepay-agent/api.sock ${output} ${PEERS}`;
  const order = "Wants=facepay-agent.socket\nAfter=facepay-agent.socket\n";
  await writeFile(`${units}/facepay-watch.service`, unitText("Cashier app and simulators", command, order));
  const wanted = "facepay-agent.socket facepay-agent-admin.socket facepay-agent.service facepay-watch.service";
  await writeFile(`${units}/watch.target`, `[Unit]\nDescription=Watched terminal\nWants=${wanted}\n`);
  chroot(machine, `systemctl mask ${NOT_NEEDED.join(" ")}`);
}

const NOT_NEEDED = [
  "systemd-udevd.service",
  "systemd-udev-trigger.service",
  "systemd-udevd-control.socket",
  "systemd-udevd-kernel.socket",
  "systemd-journal-flush.service",
  "systemd-journal-catalog-update.service",
  "systemd-hwdb-update.service",
  "systemd-random-seed.service",
  "systemd-update-utmp.service",
  "systemd-update-done.service",
  "systemd-binfmt.service",
  "systemd-modules-load.service",
  "modprobe@.service",
  "kmod-static-nodes.service",
  "systemd-timesyncd.service",
  "systemd-networkd.service",
  "ldconfig.service",
  "dbus.socket",
  "timers.target",
];
