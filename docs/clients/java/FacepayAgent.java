import java.io.*;
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.*;
import java.util.regex.*;

/** facepay-agent for a cashier app. JDK 17 alone; behaviour: docs/specification.md section 13. HTTP/1.0, so that answers have no chunks. */
public final class FacepayAgent {
  private static final long LONGEST_ANSWER = 64 * 1024, SILENCE_MS = 40_000, FIRST_PAUSE_MS = 200, LONGEST_PAUSE_MS = 5_000;
  private static final String[] STARTING = {"刷脸支付准备中，请稍候或扫码支付", "Face payment is starting. Please wait or pay by QR code."};
  private static final String[] NETWORK = {"网络异常，暂不能刷脸，请扫码支付", "Network problem: no face payment now. Please pay by QR code."};
  private static final String[] EXPIRED = {"暂时不能刷脸支付，请扫码支付", "No face payment at the moment. Please pay by QR code."};
  private static final String[] DEVICE = {"刷脸设备异常，请扫码支付", "The face camera does not respond. Please pay by QR code."};
  private static final String[] SETUP = {"本机尚未开通刷脸支付，请扫码支付", "Face payment is not set up here. Please pay by QR code."};
  private static final String[] UNAVAILABLE = {"刷脸支付暂不可用，请扫码支付", "Face payment is unavailable. Please pay by QR code."};

  /**
   * `code`: of the problem, or AGENT_UNREACHABLE; empty when ok. `cause`: of the problem, or why a renewal of a valid authinfo fails; else
   * empty. `members`: the document's texts and numbers ("authinfo", "sp_appid", ...; "support_code" of a problem). zh(), en(): for the shopper, when not ok.
   */
  public record State(boolean ok, Map<String, String> members, String code, String cause) {
    static final State UNREACHABLE = new State(false, Map.of(), "AGENT_UNREACHABLE", "");
    public String authinfo() { return members.get("authinfo"); }
    public String state() { return members.get("state"); }
    public long generation() { return Long.parseLong(members.get("generation")); }
    public String zh() { return text()[0]; }
    public String en() { return text()[1]; }
    /** What to show the shopper, in Chinese and English. */
    private String[] text() {
      boolean none = code.startsWith("AUTHINFO_");
      if (none && cause.matches("(BRIDGE|SDK|DEVICE)_.*")) return DEVICE;
      if (none && cause.matches("PAY_(DNS|CONNECT|UNREACHABLE|TIMEOUT|TLS|PROXY|CAPTIVE).*")) return NETWORK;
      if (none && cause.startsWith("PAY_")) return UNAVAILABLE;
      return switch (code) {
        case "AUTHINFO_ABSENT" -> STARTING; case "AUTHINFO_EXPIRED" -> EXPIRED;
        case "UNPROVISIONED" -> SETUP; default -> UNAVAILABLE;
      };
    }

    /** The document of a 200 or of an event, the problem of a 503; anything else is no answer of the agent. */
    static State of(String json) {
      Map<String, String> members = membersOf(json);
      String authinfo = members.getOrDefault("authinfo", ""), code = members.get("code");
      if (!authinfo.isEmpty()) return new State(true, members, "", membersOf(members.getOrDefault("renewal", "{}")).getOrDefault("code", ""));
      if (code == null) return UNREACHABLE;
      return new State(false, members, code, membersOf(members.getOrDefault("cause", "{}")).getOrDefault("code", ""));
    }
  }

  private final UnixDomainSocketAddress socket;
  private final long timeoutMs;

  public FacepayAgent() {
    this(Path.of(System.getenv().getOrDefault("FACEPAY_AGENT_SOCKET", "/run/facepay-agent/api.sock")), 2_000);
  }

  public FacepayAgent(Path socket, long timeoutMs) {
    this.socket = UnixDomainSocketAddress.of(socket);
    this.timeoutMs = timeoutMs;
  }

  /** The authinfo now, within the time-out. Does not throw. */
  public State read() {
    return State.of(ask("GET /v1/authinfo HTTP/1.0\r\nHost: localhost\r\n\r\n"));
  }

  /** Tells the agent that the SDK refused this generation: "renewing", "outdated", "limited", or a code. */
  public String reject(long generation, String returnCode) {
    String body = "{\"generation\":" + generation + ",\"return_code\":\"" + returnCode.replaceAll("[\"\\\\\\x00-\\x1f]", " ") + "\"}";
    Map<String, String> answer = membersOf(ask("POST /v1/authinfo/reject HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
        + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n" + body));
    return answer.getOrDefault("result", answer.getOrDefault("code", State.UNREACHABLE.code));
  }

  /** Calls the listener, in a thread of its own, with the state at once and at every change; reconnects by itself. Ends by interrupt(). */
  public Thread watch(Consumer<State> listener) {
    Thread thread = new Thread(() -> follow(listener), "facepay-agent");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private void follow(Consumer<State> listener) {
    long lost = now(), longest = FIRST_PAUSE_MS;
    State told = null;
    for (; !Thread.currentThread().isInterrupted(); longest = Math.min(LONGEST_PAUSE_MS, longest * 2)) {
      State last = stream(listener);
      if (last != null) {
        told = last;
        lost = now();
        longest = FIRST_PAUSE_MS;
      } else if (told != State.UNREACHABLE && now() - lost >= timeoutMs) {
        listener.accept(told = State.UNREACHABLE); // A restart of the agent takes a moment: only a longer absence is news.
      }
      pause(longest);
    }
  }

  /** One event stream, to its end: the last state that came, or null. */
  private State stream(Consumer<State> listener) {
    State[] last = {null};
    long[] silent = {now() + timeoutMs}; // Until the first event the time-out of a request holds.
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    exchange("GET /v1/authinfo/events HTTP/1.0\r\nHost: localhost\r\n\r\n", () -> silent[0], octet -> {
      if (octet != '\n') line.write(octet);
      else {
        String text = line.toString(StandardCharsets.UTF_8);
        line.reset();
        if (text.startsWith("data:")) listener.accept(last[0] = State.of(text.substring(5)));
      }
      if (last[0] != null) silent[0] = now() + SILENCE_MS;
      return line.size() < LONGEST_ANSWER;
    });
    return last[0];
  }

  /** The body of the answer; empty when there was no whole one in time. */
  private String ask(String request) {
    long end = now() + timeoutMs;
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    boolean ended = exchange(request, () -> end, octet -> { answer.write(octet); return answer.size() < LONGEST_ANSWER; });
    String text = answer.toString(StandardCharsets.ISO_8859_1);
    int body = text.indexOf("\r\n\r\n") + 4;
    Matcher length = Pattern.compile("(?i)\r\ncontent-length: *(\\d+)\r\n").matcher(text);
    if (!ended || body < 4 || !length.find() || text.length() - body != Long.parseLong(length.group(1))) return "";
    return new String(text.substring(body).getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  /** Sends, and passes on what comes until the peer ends it: true, or the sink or the deadline does. */
  private boolean exchange(String request, LongSupplier deadline, IntPredicate sink) {
    try (SocketChannel channel = connected(deadline.getAsLong()); Selector selector = Selector.open()) {
      channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8)));
      channel.register(selector, SelectionKey.OP_READ);
      ByteBuffer chunk = ByteBuffer.allocate(8192);
      for (long left; (left = deadline.getAsLong() - now()) > 0 && !Thread.currentThread().isInterrupted(); chunk.clear()) {
        selector.select(left);
        selector.selectedKeys().clear();
        int got = channel.read(chunk);
        if (got < 0) return true;
        for (int n = 0; n < got; n++) if (!sink.test(chunk.get(n) & 0xff)) return false;
      }
    } catch (IOException error) { /* No agent. */ }
    return false;
  }

  /** Java has no code for EAGAIN (more are waiting to be accepted than the socket takes): it is what is left of the reasons not to connect. */
  private SocketChannel connected(long deadline) throws IOException {
    for (; now() < deadline; pause(50)) {
      SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        channel.configureBlocking(false);
        if (channel.connect(socket)) return channel;
      } catch (IOException error) {
        if (error instanceof ConnectException || !Files.isWritable(socket.getPath())) throw error;
      } finally { if (!channel.isConnected()) channel.close(); }
    }
    throw new IOException("busy");
  }

  private static long now() { return System.nanoTime() / 1_000_000; }
  /** Between half of it and all of it; shorter when the thread is interrupted. */
  private static void pause(long longestMs) {
    LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(longestMs * 500_000, longestMs * 1_000_000));
  }

  /** The members of this object: texts as they are meant, other values as they are written. Empty for what is no JSON object. */
  private static Map<String, String> membersOf(String json) {
    Map<String, String> members = new HashMap<>();
    Matcher name = Pattern.compile("\\s*[{,]\\s*\"(\\w+)\"\\s*:").matcher(json);
    int at = 0;
    while (name.region(at, json.length()).lookingAt()) {
      if ((at = endOf(json, name.end())) < 0) return Map.of();
      String value = json.substring(name.end(), at).strip();
      members.put(name.group(1), value.startsWith("\"") ? unescaped(value.substring(1, value.length() - 1)) : value);
    }
    return json.substring(at).strip().equals("}") ? members : Map.of();
  }

  /** Where the value that begins here ends, -1 when it does not. */
  private static int endOf(String json, int at) {
    for (int depth = 0; at < json.length(); at++) {
      char c = json.charAt(at);
      if (c == ',' && depth == 0 || (c == '}' || c == ']') && depth-- == 0) return at;
      if (c == '{' || c == '[') depth++;
      if (c == '"') for (at++; at < json.length() && json.charAt(at) != '"'; at++) if (json.charAt(at) == '\\') at++;
    }
    return -1;
  }

  private static String unescaped(String text) {
    return Pattern.compile("\\\\(?:u([0-9a-fA-F]{4})|(.))").matcher(text).replaceAll(found -> Matcher.quoteReplacement(
        found.group(1) == null ? found.group(2).replace('n', '\n').replace('t', '\t') : "" + (char) Integer.parseInt(found.group(1), 16)));
  }
}
