// node docs/examples/cashier/authinfo.mjs [SOCKET]
import { FacepayAgent } from "../../clients/node/facepay-agent.mjs"; // installed as a package: "facepay-agent/client"

const [socket] = process.argv.slice(2);
const now = await new FacepayAgent({ socket }).read();
if (now.ok) {
  const { state, generation, remaining_s } = now.document;
  console.log(`${state}, generation ${generation}, ${remaining_s} s left`);
} else {
  console.log(now.message.zh);
  if (now.supportCode) console.log(`支持代码 ${now.supportCode}`);
  process.exitCode = 1;
}
