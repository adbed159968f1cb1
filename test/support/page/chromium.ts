import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { hasCommand } from "../fixtures/tools.ts";

const PROGRAM = ["chromium", "chromium-browser", "google-chrome"].find(hasCommand);
export const noChromium = PROGRAM === undefined ? "chromium is not installed" : undefined;

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: { readonly reason?: string };
  readonly result?: Record<string, never>;
  readonly error?: { readonly message: string };
}

/** A real browser without a window, over the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/). */
export class Chromium implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #listeners = new Set<(message: Message) => void>();
  #id = 0;

  private constructor(process: ChildProcess, directory: string, socket: WebSocket) {
    this.#process = process;
    this.#directory = directory;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(String(data)) as Message;
      if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
      for (const listener of this.#listeners) listener(message);
    });
  }

  static async open(): Promise<Chromium> {
    const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-chromium-"));
    const quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
    const plain = [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--hide-scrollbars",
      "--no-proxy-server",
    ];
    const args = [...plain, ...quiet, `--user-data-dir=${directory}`, "--remote-debugging-port=0", "about:blank"];
    const child = spawn(PROGRAM ?? "", args, { stdio: ["ignore", "ignore", "pipe"] });
    const address = await new Promise<string>((resolve, reject) => {
      let said = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        const [, found] = /DevTools listening on (ws:\S+)/.exec(said) ?? [];
        if (found !== undefined) resolve(found);
      });
      child.once("error", reject);
      child.once("close", () => reject(new Error(`chromium has ended: ${said.slice(0, 1_000)}`)));
    });
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", reject, { once: true });
    });
    return new Chromium(child, directory, socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#process.once("close", resolve));
    this.#process.kill("SIGKILL");
    await closed;
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 10 });
  }

  async send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, never>> {
    const id = ++this.#id;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    const { result, error } = await answer;
    this.#waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  /** A tab with cookies of its own, as another browser would have. */
  async tab(): Promise<Tab> {
    const { browserContextId } = await this.send("Target.createBrowserContext");
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank", browserContextId });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const tab = new Tab(this, String(sessionId));
    await tab.send("Page.enable");
    return tab;
  }

  /** Resolves with the next event of this kind in this tab. To be called before what causes it. */
  next(method: string, sessionId: string): Promise<void> {
    return new Promise((resolve) => {
      const listener = (message: Message) => {
        if (message.method !== method || message.sessionId !== sessionId) return;
        this.#listeners.delete(listener);
        resolve();
      };
      this.#listeners.add(listener);
    });
  }
}

export class Tab {
  readonly #browser: Chromium;
  readonly #session: string;

  constructor(browser: Chromium, session: string) {
    this.#browser = browser;
    this.#session = session;
  }

  send(method: string, params: object = {}): Promise<Record<string, never>> {
    return this.#browser.send(method, params, this.#session);
  }

  async size(width: number, height: number, scheme: "light" | "dark" = "light"): Promise<void> {
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    await this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  }

  /** As if the address had been typed. */
  async go(url: string): Promise<void> {
    await this.loading(() => this.send("Page.navigate", { url, transitionType: "typed" }));
  }

  /** Does something that loads another page, and waits until it has. */
  async loading(act: () => Promise<unknown>): Promise<void> {
    const loaded = this.#browser.next("Page.loadEventFired", this.#session);
    await act();
    await loaded;
  }

  /** In the page, as the developer's console does: no policy of the page forbids it. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await this.send("Runtime.evaluate", {
      expression,
      returnByValue: true,
      awaitPromise: true,
    })) as {
      result?: { value?: T };
      exceptionDetails?: { text: string };
    };
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${exceptionDetails.text}`);
    return result?.value as T;
  }

  async picture(): Promise<Buffer> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
    return Buffer.from(String(data), "base64");
  }
}
