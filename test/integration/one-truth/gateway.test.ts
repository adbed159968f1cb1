import { afterAll } from "vitest";
import { removeFactory } from "../../support/fixtures/running-agent.ts";
import { inTable } from "../../support/one-truth/agree.ts";
import { gatewayAnswers } from "../../support/one-truth/answer-faults.ts";

afterAll(removeFactory);

inTable("a gateway", gatewayAnswers, (terminal, fault) => terminal.answer(fault), { mode: "gateway" });
