import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { findProgram, runCompiler } from "./compile-sdk.ts";
import { openPty } from "./pty.ts";

/** The bridge in Java for Android devices (docs/bridge/java), with its simulated SDK, as a process on this machine. */

const sources = fileURLToPath(new URL("../../docs/bridge/java/", import.meta.url));

/** `java` and `javac` on the PATH, undefined when one is missing. */
export function findJdk(): { readonly java: string; readonly javac: string } | undefined {
  const [java, javac] = [findProgram(["java"]), findProgram(["javac"])];
  return java === undefined || javac === undefined ? undefined : { java, javac };
}

/** In another locale Java 17 refuses a path that is not ASCII. */
const utf8 = () => ({ ...process.env, LC_ALL: "C.UTF-8" });

function neededJdk() {
  const jdk = findJdk();
  if (jdk === undefined) throw new Error("there is no JDK: apt-get install default-jdk-headless");
  return jdk;
}

/** What is compiled by default: all but the adapter to the vendor's classes. */
export function javaSources(): string[] {
  const files = readdirSync(sources).filter((file) => file.endsWith(".java"));
  return files.map((file) => path.join(sources, file));
}

/** Compiles for Java 8, what Android 7.1 understands, into `directory`/classes and returns that. Rejects with what javac said. */
export async function compileJavaBridge(directory: string, files: readonly string[] = javaSources()): Promise<string> {
  const { javac } = neededJdk();
  const classes = path.join(directory, "classes");
  const strict = ["-Xlint:all", "-Xlint:-options", "-Werror"];
  await runCompiler(javac, ["--release", "8", ...strict, "-encoding", "UTF-8", "-d", classes, ...files], utf8());
  return classes;
}

export interface JavaBridge {
  /** The serial device for the agent. */
  readonly path: string;
  /** Ends the process and starts another one on the same line. */
  restart(): Promise<void>;
  /** Ends the process and removes the device. May be repeated. */
  stop(): Promise<void>;
}

export interface JavaBridgeOptions {
  /** What compileJavaBridge returned. */
  readonly classes: string;
  readonly deviceId: string;
  /** A name for the device that stays the same, as for openPty. */
  readonly link?: string;
}

/**
 * Starts the bridge at the other end of a line. The line is two pseudo-terminals, because Java cannot open the master of one: the agent
 * has the device of the first, the bridge that of the second.
 */
export async function startJavaBridge({ classes, deviceId, link }: JavaBridgeOptions): Promise<JavaBridge> {
  const { java } = neededJdk();
  const near = await openPty(link === undefined ? {} : { link });
  const far = await openPty();
  for (const { stream } of [near, far]) stream.on("error", () => undefined);
  near.stream.pipe(far.stream).pipe(near.stream);
  const args = ["-XX:TieredStopAtLevel=1", "-cp", classes, "facepay.bridge.SimulatedFaceSdk", far.path, deviceId];
  const start = () => {
    // It ends with its standard input: also when this process is killed.
    const child = spawn(java, args, { stdio: ["pipe", "ignore", "ignore"], env: utf8() });
    child.stdin.on("error", () => undefined);
    const ended = once(child, "close");
    return async () => {
      child.kill("SIGKILL");
      await ended;
    };
  };
  let end = start();
  return {
    path: near.path,
    async restart() {
      await end();
      end = start();
    },
    async stop() {
      await end();
      near.unplug();
      far.unplug();
    },
  };
}
