import { createHash } from "node:crypto";
import { chmod, lstat, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { conffiles } from "./manifest.ts";
import { everything } from "./stage.ts";

export interface ControlFacts {
  readonly version: string;
  readonly architecture: "amd64" | "arm64";
  readonly maintainer: string;
}

/** What the binaries of Node's makers were linked against: glibc 2.28 and a libstdc++ of GCC 7. */
const DEPENDS = ["libc6 (>= 2.28)", "libgcc-s1 | libgcc1", "libstdc++6 (>= 7)", "init-system-helpers (>= 1.51)"];

/** DEBIAN/ of a tree that is complete but for it. Returns the installed size in KiB, as dpkg counts. */
export async function writeControl(tree: string, scripts: string, facts: ControlFacts): Promise<number> {
  const files = (await everything(tree)).filter((file) => file !== tree);
  let kib = 0;
  const sums: string[] = [];
  for (const file of files) {
    const stat = await lstat(file);
    // Debian policy 5.6.20: files by their size, everything else as one KiB.
    kib += stat.isFile() ? Math.ceil(stat.size / 1024) : 1;
    const name = path.relative(tree, file);
    if (!stat.isFile() || conffiles.some((conffile) => conffile === `/${name}`)) continue;
    sums.push(
      `${createHash("md5")
        .update(await readFile(file))
        .digest("hex")}  ${name}\n`,
    );
  }
  const debian = path.join(tree, "DEBIAN");
  await mkdir(debian);
  const put = async (name: string, text: string, mode = 0o644) => {
    await writeFile(path.join(debian, name), text);
    // Whatever the umask: dpkg-deb refuses others.
    await chmod(path.join(debian, name), mode);
  };
  await chmod(debian, 0o755);
  await put("control", controlText(facts, kib));
  await put("md5sums", sums.sort((a, b) => (a.slice(34) < b.slice(34) ? -1 : 1)).join(""));
  await put("conffiles", conffiles.map((file) => `${file}\n`).join(""));
  for (const name of ["preinst", "postinst", "prerm", "postrm"]) {
    await put(name, await readFile(path.join(scripts, name), "utf8"), 0o755);
  }
  return kib;
}

function controlText({ version, architecture, maintainer }: ControlFacts, kib: number): string {
  return `Package: facepay-agent
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${kib}
Depends: ${DEPENDS.join(", ")}
Recommends: systemd
Section: net
Priority: optional
Description: keeps a valid WeChat Pay face-pay authinfo on a terminal
 A service for face-pay terminals: it obtains the authinfo that the vendor's
 face SDK needs, renews it in good time, keeps it over power cuts, and hands it
 to the cashier app on a unix socket. It brings its own Node.js.
 .
 在刷脸支付终端上保持微信支付 authinfo 有效：及时更新，断电不丢，
 通过 unix 套接字交给收银应用。自带 Node.js。
`;
}
