import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Config } from "../../../agent/config/config.ts";
import { unitPlaceWarnings, writablePlaces } from "../../../agent/config/unit-places.ts";
import { textOf } from "../../../agent/messages/text-of.ts";

const shipped = path.resolve(import.meta.dirname, "../../../scripts/package/systemd/facepay-agent.service");
const EXPORTER = "/var/lib/prometheus/node-exporter";

let root = "";
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), "facepay-places-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function warned(textfile: string, more: Partial<Config> = {}) {
  const config = { metrics: { textfile }, store: { directory: "/var/lib/facepay-agent" }, ...more } as Config;
  return unitPlaceWarnings({ config, origins: new Map([["metrics.textfile", "config.toml:9"]]) }, root);
}

const install = () => {
  mkdirSync(path.join(root, "usr/lib/systemd/system"), { recursive: true });
  cpSync(shipped, path.join(root, "usr/lib/systemd/system/facepay-agent.service"));
};

describe("what is to be written where the unit sees a read-only file system", () => {
  it("is told, with the drop-in that helps and the command on a line of its own", () => {
    install();
    const [warning, ...others] = warned(`${EXPORTER}/facepay.prom`);
    expect(others).toEqual([]);
    expect(warning).toMatchObject({ key: "metrics.textfile", origin: "config.toml:9" });
    for (const text of warning === undefined ? [] : Object.values(textOf(warning.instead))) {
      expect(text.split("\n")).toEqual(
        expect.arrayContaining([
          "  [Service]",
          `  ReadWritePaths=-${EXPORTER}`,
          "  systemctl daemon-reload && systemctl restart facepay-agent",
        ]),
      );
      expect(text).toContain("/etc/systemd/system/facepay-agent.service.d/writable.conf");
    }
  });

  it("is the same for the copy and the state directory", () => {
    install();
    const elsewhere = { fileCopy: { path: "/srv/authinfo.json", mode: 0o640 }, store: { directory: "/data/facepay" } };
    const keys = warned("/run/facepay-agent/facepay.prom", elsewhere).map(({ key }) => key);
    expect(keys).toEqual(["file_copy.path", "store.directory"]);
  });

  it("is nothing in the unit's own places, after the drop-in, or without the unit", () => {
    expect(warned(`${EXPORTER}/facepay.prom`)).toEqual([]);
    install();
    expect(warned("/run/facepay-agent/facepay.prom")).toEqual([]);
    const dropIns = path.join(root, "etc/systemd/system/facepay-agent.service.d");
    mkdirSync(dropIns, { recursive: true });
    writeFileSync(path.join(dropIns, "writable.conf"), `[Service]\nReadWritePaths=-${EXPORTER}\n`);
    expect(warned(`${EXPORTER}/facepay.prom`)).toEqual([]);
    // A neighbour of what is allowed is not allowed.
    expect(warned(`${EXPORTER}-2/facepay.prom`)).toHaveLength(1);
  });

  it("follows systemd's rules for what stands twice or empty", () => {
    expect(writablePlaces(["ReadWritePaths=/a"])).toBeUndefined();
    expect(writablePlaces(["ProtectSystem=strict", "ProtectSystem=no"])).toBeUndefined();
    const texts = [
      "ProtectSystem=strict\nStateDirectory=x y\nReadWritePaths=/a -/b/",
      "ReadWritePaths=\nReadWritePaths=+/c",
    ];
    expect(writablePlaces(texts)).toEqual(["/c", "/var/lib/x", "/var/lib/y", "/tmp", "/var/tmp"]);
  });
});
