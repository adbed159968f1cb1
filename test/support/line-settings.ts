/** What a configuration that says nothing of its line has (contract 2), and the deadlines that it has. */
export const lineSettings = {
  baudRate: 115_200,
  dataBits: 8,
  parity: "none",
  stopBits: 1,
  rtscts: false,
  callTimeoutMs: 10_000,
  initTimeoutMs: 15_000,
  init: {},
} as const;
