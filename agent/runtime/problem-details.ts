import type { Problem } from "../config/problem.ts";

/** Problems for log and status, in English. The texts are loaded only when there is something to tell: a start does not wait for them. */
export async function problemDetails(problems: readonly Problem[]): Promise<string[]> {
  if (problems.length === 0) return [];
  const { renderProblem } = await import("../messages/problem-text.ts");
  return problems.map((problem) => renderProblem(problem, "en"));
}
