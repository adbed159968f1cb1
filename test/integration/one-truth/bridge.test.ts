import { afterAll } from "vitest";
import { removeFactory } from "../../support/fixtures/running-agent.ts";
import { inTable } from "../../support/one-truth/agree.ts";
import { lineFaults, sdkFaults } from "../../support/one-truth/line-faults.ts";

afterAll(removeFactory);

const impatient = { config: { driver: { call_timeout_ms: 1_500, init_timeout_ms: 1_500 } } };

inTable("the SDK", sdkFaults, (terminal, fault) => terminal.bridge(fault));
inTable(
  "the line",
  lineFaults,
  (terminal, fault) => {
    terminal.pastTheGrace();
    terminal.bridge(fault);
  },
  impatient,
);
