import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { problemStatuses } from "../../../agent/api/http/problem.ts";
import { description, descriptionText, faultsOfAnswer, faultsOfEvent } from "../../support/checks/api-description.ts";

const json = { "content-type": "application/json", "cache-control": "no-store" };

describe("docs/api.openapi.yaml", () => {
  it("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    const result = await validator.validate(parse(descriptionText));
    expect(result.errors ?? []).toEqual([]);
    expect([result.valid, validator.version]).toEqual([true, "3.1"]);
  });

  it("names every problem code, and no other", () => {
    const code = description.components.schemas.Problem?.properties?.code as { enum: string[] } | undefined;
    expect(code?.enum.toSorted()).toEqual(Object.keys(problemStatuses).toSorted());
  });

  it("finds what is not as described", () => {
    const at = (text: string, status = 200) => faultsOfAnswer("GET", "/livez", { status, headers: json, text });
    expect(at('{"status":"ok"}')).toEqual([]);
    expect(at('{"status":"fine"}')).toHaveLength(1);
    expect(at('{"status":"ok","more":1}')).toHaveLength(1);
    expect(at('{"status":"ok"}', 201)).toEqual(["GET /livez: status 201 is not described"]);
    expect(at('{"status":"ok"}', 503)).not.toEqual([]);
    expect(faultsOfAnswer("GET", "/livez", { status: 200, headers: {}, text: "{}" })).not.toEqual([]);
    expect(faultsOfEvent("unavailable", "{}")).not.toEqual([]);
  });
});
