import java.nio.file.Path;

/** javac -encoding UTF-8 -d out docs/examples/cashier/Authinfo.java docs/clients/java/FacepayAgent.java && java -cp out Authinfo [SOCKET] */
class Authinfo {
  public static void main(String[] args) {
    FacepayAgent agent = args.length > 0 ? new FacepayAgent(Path.of(args[0]), 2_000) : new FacepayAgent();
    FacepayAgent.State now = agent.read();
    System.out.println(now.ok()
        ? now.state() + ", generation " + now.generation() + ", " + now.members().get("remaining_s") + " s left"
        : now.zh());
    String code = now.members().get("support_code");
    if (code != null) System.out.println("支持代码 " + code);
    System.exit(now.ok() ? 0 : 1);
  }
}
