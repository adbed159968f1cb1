import { askAgent } from "../../api/admin-client.ts";
import type { StatusDocument } from "../../api/status-document.ts";
import { withPortHolders } from "./port-holders.ts";

/** The status of the agent at this socket, with what only the technician's user can see. Throws AgentUnreachable. */
export async function readStatus(socket: string, patienceMs: number): Promise<StatusDocument> {
  const { body } = await askAgent(socket, "GET", "/v1/status", patienceMs);
  return await withPortHolders(body as unknown as StatusDocument);
}
