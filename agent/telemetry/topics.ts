/** Where one terminal publishes, and where it is asked (specification 10). */
export interface Topics {
  readonly state: string;
  readonly health: string;
  readonly event: string;
  /** What to subscribe to for commands. */
  readonly commands: string;
  command(op: string, id: string): string;
  /** Op and id of a topic under `commands`; undefined for any other topic. */
  parseCommand(topic: string): { readonly op: string; readonly id: string } | undefined;
}

/**
 * A device id may hold any printable character (specification 3), of which "/", "+" and "#" have a meaning in topics and in access
 * rules: those go percent-encoded. Ids as terminals have them stand as they are.
 */
export function topicLevel(deviceId: string): string {
  return deviceId.replace(/[^0-9A-Za-z._-]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

export function topicsOf(prefix: string, spMchid: string, deviceId: string): Topics {
  const base = `${prefix}/v1/${spMchid}/${topicLevel(deviceId)}`;
  const commandBase = `${base}/cmd/`;
  return {
    state: `${base}/state`,
    health: `${base}/health`,
    event: `${base}/event`,
    commands: `${commandBase}+/+`,
    command: (op, id) => `${commandBase}${op}/${id}`,
    parseCommand(topic) {
      if (!topic.startsWith(commandBase)) return undefined;
      const [op, id, ...rest] = topic.slice(commandBase.length).split("/");
      return op === undefined || id === undefined || rest.length > 0 ? undefined : { op, id };
    },
  };
}
