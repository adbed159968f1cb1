import { afterAll } from "vitest";
import { removeFactory } from "../../support/fixtures/running-agent.ts";
import { inTable } from "../../support/one-truth/agree.ts";
import { wayFaults } from "../../support/one-truth/way-faults.ts";

afterAll(removeFactory);

inTable("the way to WeChat Pay", wayFaults, (terminal, make) => make(terminal));
