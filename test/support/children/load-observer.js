// Preloaded into the agent (NODE_OPTIONS=--import): writes down in order which packages are loaded and when a server listens.
// Plain JavaScript, since it comes before everything else.
import { channel, tracingChannel } from "node:diagnostics_channel";
import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";

const file = process.env.LOAD_OBSERVER_FILE;
const seen = new Set();
/** @param {string} event */
const note = (event) => {
  if (file !== undefined) appendFileSync(file, `${event}\n`);
};

registerHooks({
  load(url, context, nextLoad) {
    // A package, or a file of the bundled program.
    const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? /\/lib\/([^/]+)\.cjs$/.exec(url)?.[1];
    if (name !== undefined && !seen.has(name)) {
      seen.add(name);
      note(`load ${name}`);
    }
    return nextLoad(url, context);
  },
});
tracingChannel("net.server.listen").asyncEnd.subscribe((message) => {
  const { server } = /** @type {{ server: import("node:net").Server }} */ (message);
  note(`listen ${JSON.stringify(server.address())}`);
});
channel("http.server.response.finish").subscribe(() => note("answer"));
