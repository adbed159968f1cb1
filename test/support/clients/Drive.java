import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** java Drive SOCKET TIMEOUT_MS; commands on stdin, one line of output for each answer: see conformance.ts */
class Drive {
  static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  static void say(String what, FacepayAgent.State now) {
    String cause = now.cause().isEmpty() ? "-" : now.cause();
    if (now.ok()) OUT.println(what + " ok " + now.state() + " " + now.generation() + " " + cause);
    else OUT.println(what + " " + now.code() + " " + cause + " " + now.zh() + "|" + now.en());
  }

  public static void main(String[] args) throws Exception {
    FacepayAgent agent = new FacepayAgent(Path.of(args[0]), Long.parseLong(args[1]));
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null;) {
      if (line.equals("read")) say("read", agent.read());
      if (line.equals("watch")) agent.watch(now -> say("watch", now));
      if (line.startsWith("reject ")) OUT.println("reject " + agent.reject(Long.parseLong(line.substring(7)), "PARAM_ERROR"));
    }
  }
}
