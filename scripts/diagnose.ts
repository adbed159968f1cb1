/** `npm run diagnose [-- OPTIONS]`: `facepay-agent diagnose` out of a checkout, for a terminal that has nothing installed. */
import { main } from "../agent/main.ts";

process.exitCode = await main(["diagnose", ...process.argv.slice(2)]);
