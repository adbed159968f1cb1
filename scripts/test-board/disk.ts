import { appendFile, copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { chroot, run } from "../test-machines/debian.ts";
import { install, NODE, PEERS, provision, unitText } from "../test-machines/terminal.ts";
import { CONTROL_PORT } from "./board.ts";

/** Answers in the place of the reference bridge: which files that unit may open. */
export const OPEN_FILES = "/run/facepay-bridge/open-files.sock";
export const ADAPTER = "/dev/facepay-bridge";

/** The disk of a terminal as an image builder makes it, in a chroot: nothing on it has ever run on the board. */
export async function makeDisk(
  base: string,
  place: { readonly root: string; readonly disk: string },
  { older, newer }: { readonly older: string; readonly newer: string },
): Promise<void> {
  const { root, disk } = place;
  const put = async (name: string, text: string) => {
    await mkdir(path.join(root, path.dirname(name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  };
  run("cp", ["-a", "--reflink=auto", base, root]);
  await install(root, older);
  await copyFile(newer, path.join(root, "root", path.basename(newer)));
  await provision(root, {}, { type: "serial", path: ADAPTER });
  // What a vendor's SDK for a USB camera asks for: group plugdev may use USB devices themselves.
  const usb = 'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", GROUP="plugdev", MODE="0660"\n';
  await put("etc/udev/rules.d/90-usb.rules", usb);
  await put("etc/facepay-agent/bridge.env", "BRIDGE_LIBRARY=/none\n");
  const asked = `[Service]\nExecStart=\nExecStart=${NODE} ${PEERS}/open-files.mjs ${OPEN_FILES}\n`;
  await put("etc/systemd/system/facepay-bridge.service.d/open-files.conf", asked);
  const control = unitText("Control from outside", `${PEERS}/control.mjs /dev/virtio-ports/${CONTROL_PORT}`);
  await put("etc/systemd/system/facepay-control.service", control);
  // A line at the console for each, instead of a silent journal: seen when the board does not come up.
  await appendFile(path.join(root, "etc/systemd/journald.conf"), "ForwardToConsole=yes\nMaxLevelConsole=err\n");
  chroot(root, "systemctl enable facepay-control.service simulated-pay.service facepay-bridge.service");
  run("mkfs.ext4", ["-q", "-d", root, disk, "3G"]);
  await rm(root, { recursive: true });
}
