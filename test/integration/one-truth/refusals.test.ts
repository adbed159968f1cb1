import { afterAll } from "vitest";
import { removeFactory } from "../../support/fixtures/running-agent.ts";
import { inTable } from "../../support/one-truth/agree.ts";
import { refusals, wrongAnswers } from "../../support/one-truth/answer-faults.ts";

afterAll(removeFactory);

inTable("a refusal of WeChat Pay's", refusals, (terminal, fault) => terminal.answer(fault));
inTable("an answer that is not believed", wrongAnswers, (terminal, fault) => terminal.answer(fault));
