import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { textOf } from "../../../agent/messages/text-of.ts";
import { sdkFailures } from "../../../drivers/simulator/simulated-sdk.ts";
import { diagnosed, wordsOf } from "../../support/checks/diagnosed.ts";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";
import { openPty } from "../../support/fixtures/own-pty.ts";
import { openRig, type Rig, type RigOptions, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const serial = { line: "serial", config: { driver: { call_timeout_ms: 1_500, init_timeout_ms: 1_500 } } } as const;

/** A rig, and what diagnose makes of it; whatever it says must hold no secret. */
async function examine(rig: Rig) {
  const found = await diagnosed(rig.configFile);
  rig.saw("diagnose", JSON.stringify(found.results));
  return found;
}

async function broken(fault: (rig: Rig) => Promise<void> | void, options: RigOptions = serial) {
  await using rig = await openRig(options);
  await fault(rig);
  return await examine(rig);
}

// A pseudo-terminal's number is given anew as soon as it is free: whoever else on this machine opens the old one again by its number,
// as a driver does that reopens for ever, is for a moment a second program on this line.
const sharedNumbers = { retry: 2 };

describe.concurrent("with the agent dead, diagnose talks to the bridge itself", sharedNumbers, () => {
  it("finds a healthy one in order", async () => {
    const { status, of } = await broken(() => {});
    for (const id of [
      "ser.present",
      "ser.unique",
      "ser.perm",
      "ser.busy",
      "ser.handshake",
      "ser.protocol",
      "ser.crc",
      "ser.device_data",
    ]) {
      expect(status(id), id).toBe("pass");
    }
    expect(of("ser.usb_resets").status).toBe("skip");
    expect(of("ser.handshake").value).toMatchObject({ by: "self", device_id: "LTA0P18937F130532000001" });
    expect(of("ser.device_data").value).toMatchObject({ rawdata_length: 672 });
  });

  it("unplugged: ser.present", async () => {
    const { first, of } = await broken((rig) => rig.unplug());
    expect(first).toBe("ser.present fail");
    for (const id of ["ser.unique", "ser.perm", "ser.busy", "ser.usb_resets", "ser.handshake", "ser.device_data"]) {
      expect(of(id), id).toMatchObject({ status: "skip", because: "ser.present" });
    }
  });

  it("something else than a serial device: ser.present", async () => {
    const { first, of } = await broken(async (rig) => {
      await rig.unplug();
      await writeFile(rig.within("ttyFACEPAY"), "");
    });
    expect(first).toBe("ser.present fail");
    expect(wordsOf(of("ser.present"))).toMatch(/不是串口设备[\s\S]*not a serial device/);
  });

  it("a device that is no terminal: ser.present, and nobody is told to stop the programs that have it open", async () => {
    const { first, of } = await broken((rig) => rig.configure({ driver: { path: "/dev/null" } }));
    expect(first).toBe("ser.present fail");
    expect(wordsOf(of("ser.present"))).toMatch(/\/dev\/null is not a serial device[\s\S]*driver\.path/);
    expect(of("ser.busy")).toMatchObject({ status: "skip", because: "ser.present" });
  });

  it("a device of another kind on the line: ser.handshake, and that it speaks otherwise", async () => {
    await using rig = await openRig({ ...serial, unplugged: true });
    const pty = await openPty({ link: rig.within("ttyFACEPAY") });
    const talk = setInterval(() => pty.stream.write("$GPGGA,123519,4807.038,N,01131.000,E,1,08*47\r\n"), 20);
    try {
      const { first, of } = await examine(rig);
      expect(first).toBe("ser.handshake fail");
      expect(wordsOf(of("ser.handshake"))).toMatch(/不是刷脸模组协议[\s\S]*baud_rate/);
    } finally {
      clearInterval(talk);
      pty.unplug();
    }
  });

  it("a loopback plug: ser.handshake, and that only its own octets come back", async () => {
    await using rig = await openRig({ ...serial, unplugged: true });
    const pty = await openPty({ link: rig.within("ttyFACEPAY") });
    pty.stream.on("data", (chunk) => pty.stream.write(chunk));
    try {
      const { first, of } = await examine(rig);
      expect(first).toBe("ser.handshake fail");
      expect(wordsOf(of("ser.handshake"))).toMatch(/回环[\s\S]*looped back/);
    } finally {
      pty.unplug();
    }
  });

  it("a second program on the port: ser.busy, by its name and pid", async () => {
    await using rig = await openRig({ ...serial, unplugged: true });
    const pty = await openPty({ link: rig.within("ttyFACEPAY") });
    rig.bridge.attach(pty.stream);
    // A program that has the terminal as its standard input has it open.
    const child = spawn("sh", ["-c", `exec sleep 60 < ${pty.path}`], { stdio: "ignore" });
    await once(child, "spawn");
    try {
      const { first, of } = await rig.until("the other program has it open", async () => {
        const found = await examine(rig);
        return found.first === "ser.busy fail" && found;
      });
      expect(first).toBe("ser.busy fail");
      expect(wordsOf(of("ser.busy"))).toContain(`sleep (pid ${child.pid})`);
      // The agent takes the line as soon as it is free: nothing is to be restarted.
      expect(textOf(of("ser.busy").remedy).zh).toBe(`请停止 sleep (pid ${child.pid})。`);
      // Polite: the port was left alone.
      expect(of("ser.handshake")).toMatchObject({ status: "skip", because: "ser.busy" });
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
      pty.unplug();
    }
  });

  it("another agent on the port: ser.busy, with its configuration", async () => {
    await using first = await openRig(serial);
    await using second = await openRig({ config: { driver: { type: "serial", path: first.within("ttyFACEPAY") } } });
    await first.serve();
    const { first: cause, of } = await examine(second);
    expect(cause).toBe("ser.busy fail");
    const { detail, remedy } = of("ser.busy");
    expect(textOf(detail).en).toContain(`facepay-agent (pid ${first.agent.pid}, ${first.configFile}`);
    expect(textOf(remedy).en).toMatch(
      new RegExp(`Another facepay-agent, with ${first.configFile}[^]*(kill ${first.agent.pid}|systemctl stop)`),
    );
    expect(textOf(remedy).zh).toContain(`另一个 facepay-agent（配置 ${first.configFile}）`);
    // With the second agent running, too, and in whatever is asked.
    second.start();
    await second.until("it has met the other one", async () => (await second.status()).bridge?.problem != null);
    const said = async (command: string, lang: string) => {
      await using told = new AgentProcess([command, "--lang", lang, "--config", second.configFile], {});
      await told.exited;
      return told.stdout;
    };
    const running = await examine(second);
    expect(running.first).toBe("ser.busy fail");
    expect(await said("status", "en")).toContain(textOf(running.of("ser.busy").remedy).en);
    expect(await said("status", "zh-CN")).toContain(textOf(running.of("ser.busy").detail).zh);
    // Once: a second request within 10 s is refused.
    expect(await said("refresh", "en")).toContain(textOf(running.of("ser.busy").remedy).en);
  });

  it("no right for the service's user: ser.perm, with the group", async () => {
    await using rig = await openRig(serial);
    await mkdir(rig.stateDirectory, { mode: 0o700 });
    // The state belongs to the service's user: for root another one, for anybody else oneself, barred by the mode.
    if (process.getuid?.() === 0) await chown(rig.stateDirectory, 65534, 65534);
    else await chmod(rig.within("ttyFACEPAY"), 0);
    const { of } = await examine(rig);
    expect(of("ser.perm").status).toBe("fail");
    expect(of("ser.handshake")).toMatchObject({ status: "skip", because: "ser.perm" });
  });

  it("a silent bridge: ser.handshake", async () => {
    const { first, of } = await broken((rig) => {
      rig.bridge.faults = { silent: true };
    });
    expect(first).toBe("ser.handshake fail");
    expect(wordsOf(of("ser.handshake"))).toMatch(/没有应答[\s\S]*断电 10 秒/);
  });

  it.each(["2.0", "0.9"])("protocol %s: ser.protocol", async (protocol) => {
    const { first, status } = await broken((rig) => {
      rig.bridge.protocol = protocol;
    });
    expect(first).toBe("ser.protocol fail");
    expect(status("ser.handshake")).toBe("pass");
  });

  it("noise between the frames: ser.crc", async () => {
    const { first } = await broken((rig) => {
      rig.bridge.faults = { noiseBefore: Buffer.from("~1234567~") };
    });
    expect(first).toBe("ser.crc fail");
  });

  it.each([
    ["a rawdata with a space", { rawData: "AAAA AAA" }, /rawdata[\s\S]*升级刷脸模组/],
    ["an empty rawdata", { rawData: "" }, /摄像头/],
    ["an SDK that is not initialised", { result: sdkFailures.notInitialised }, /未初始化[\s\S]*not initialised/],
    ["an SDK without a serial number", { result: sdkFailures.noSerialNumber }, /serial number/],
    ["a licence of another device", { result: sdkFailures.license }, /网卡/],
    ["a native call that fails", { nativeStatus: -1 }, /WxpayFaceService/],
    ["a camera that fails", { result: { return_code: "ERROR", return_msg: "x", err_code: 271378577 } }, /摄像头异常/],
  ])("%s: ser.device_data", async (_what, fault, words) => {
    const { first, of } = await broken((rig) => {
      rig.bridge.faults = { only: "getWxpayfaceRawdata", ...fault };
    });
    expect(first).toBe("ser.device_data fail");
    expect(wordsOf(of("ser.device_data"))).toMatch(words);
  });

  it("an SDK that says `ip address is null` is skipped because of the network", async () => {
    const { of } = await broken((rig) => {
      rig.bridge.faults = { only: "getWxpayfaceRawdata", result: sdkFailures.noNetwork };
    });
    expect(of("ser.device_data")).toMatchObject({ status: "skip", because: "net.link" });
  });

  it("a bridge on a unix socket that is not there: ser.present; one that is: as good as a line", async () => {
    await using rig = await openRig({ config: serial.config });
    const there = await examine(rig);
    expect(there.status("ser.present")).toBe("pass");
    expect(there.of("ser.busy").status).toBe("skip");
    expect(there.status("ser.device_data")).toBe("pass");
    await rig.unplug();
    expect((await examine(rig)).first).toBe("ser.present fail");
  });

  it("a simulator inside the agent has no line to be looked at, but an SDK", async () => {
    const { status } = await broken(() => {}, { config: { driver: { type: "simulator", path: undefined } } });
    expect(status("ser.present")).toBe("skip");
    expect(status("ser.busy")).toBe("skip");
    expect(status("ser.device_data")).toBe("pass");
  });
});

describe("with the agent running, diagnose asks it and leaves the port alone", () => {
  it("reads a rawdata through the agent's own queue, and names the SDK's failure", async () => {
    await using rig = await openRig(serial);
    await rig.serve();
    const healthy = await examine(rig);
    expect(healthy.first).toBe("none");
    expect(healthy.of("ser.handshake").value).toMatchObject({ by: "agent" });
    expect(healthy.status("ser.busy")).toBe("pass");
    expect(healthy.status("ser.device_data")).toBe("pass");
    expect(healthy.status("pay.authinfo")).toBe("pass");
    rig.bridge.faults = { only: "getWxpayfaceRawdata", result: sdkFailures.notInitialised };
    const failing = await examine(rig);
    expect(failing.first).toBe("ser.device_data fail");
    expect(failing.of("ser.device_data").value).toMatchObject({ error: "SDK_NOT_INITIALISED" });
    expect(wordsOf(failing.of("ser.device_data"))).toContain("未初始化");
    rig.bridge.behave();
    await rig.unplug();
    await rig.statusWhere("the line is lost", ({ bridge }) => bridge?.state === "opening");
    expect((await examine(rig)).first).toBe("ser.present fail");
    expect((await rig.status()).bridge?.opens).toMatchObject({ ok: 1 });
  });
});
