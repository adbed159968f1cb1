/** What an integrator may do with socat: opens a unix socket, named on the command line, to the network. */
import net from "node:net";

const [, , socket = ""] = process.argv;
const server = net.createServer((client) => client.pipe(net.connect(socket)).pipe(client));
server.listen(0, "0.0.0.0", () => process.stdout.write("listening\n"));
