package facepay.bridge;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.SecureRandom;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The bridge's side of docs/specification.md section 3 over any pair of streams: hello is answered at once, calls one at a time, each
 * within a deadline. One instance for the life of the process; serve() once for each opening of the line. The log holds no content.
 */
public final class FaceBridge {
  private static final Logger LOG = Logger.getLogger("facepay.bridge");
  /** A call that ignores its interruption keeps its thread. So many may; then calls are refused until one of them ends. */
  private static final int MOST_STUCK = 8;
  private static final int MOST_WORD = 256, MOST_ID = 32;
  private static final int PARSE = -32700, INVALID_REQUEST = -32600, NO_METHOD = -32601, INVALID_PARAMS = -32602;
  private static final int NATIVE = -32000, CRASHED = -32002, HUNG = -32003, ANSWER = -32004, BUSY = -32005;

  private final FaceSdk sdk;
  private final long callMs, initMs;
  /** One call is at work, one may wait: that of an agent that has just been started anew. */
  private final ArrayBlockingQueue<Call> waiting = new ArrayBlockingQueue<Call>(1);
  private final AtomicInteger inside = new AtomicInteger();
  private volatile String session = newSession();
  private volatile boolean restart;

  /** The deadlines are to be shorter than the agent's call_timeout_ms and init_timeout_ms: 9000 and 14000 fit its defaults. */
  public FaceBridge(FaceSdk sdk, long callMs, long initMs) {
    this.sdk = sdk;
    this.callMs = callMs;
    this.initMs = initMs;
    start("facepay-bridge-calls", new Runnable() {
      @Override public void run() {
        makeCalls();
      }
    });
  }

  /** Answers on this line until its input ends or fails, and then returns or throws. The streams stay the caller's to close. */
  public void serve(InputStream in, OutputStream out) throws IOException {
    Line line = new Line(out);
    Frames frames = new Frames();
    byte[] chunk = new byte[1024];
    try {
      for (int got; (got = in.read(chunk)) != -1;) {
        for (int n = 0; n < got; n++) {
          byte[] payload = frames.take(chunk[n] & 0xff);
          if (payload != null) receive(payload, line);
        }
      }
    } finally {
      line.open = false;
      LOG.info("line closed: " + frames.good + " good frames, " + frames.dropped + " dropped");
    }
  }

  private static final class Line {
    final OutputStream out;
    volatile boolean open = true;

    Line(OutputStream out) {
      this.out = out;
    }

    /** Returns false for an answer that fits no frame. */
    synchronized boolean send(String answer) throws IOException {
      byte[] octets;
      try {
        octets = Json.encode(answer);
      } catch (Json.Invalid error) {
        return false;
      }
      if (octets.length > Frames.MOST_PAYLOAD) return false;
      if (open) {
        out.write(Frames.frame(octets));
        out.flush();
      }
      return true;
    }
  }

  private static final class Call {
    final Line line;
    final String id, params;
    final boolean init;

    Call(Line line, String id, String params, boolean init) {
      this.line = line;
      this.id = id;
      this.params = params;
      this.init = init;
    }
  }

  private void receive(byte[] payload, Line line) throws IOException {
    Map<String, String> request;
    try {
      String text = Json.decode(payload);
      request = Json.members(text);
    } catch (Json.Invalid error) {
      boolean other = "no object".equals(error.getMessage());
      line.send(error("null", other ? INVALID_REQUEST : PARSE, other ? "Invalid Request" : "Parse error", null));
      return;
    }
    // An answer, perhaps our own from a line that echoes: to answer it would begin an endless conversation. Or a notification.
    if (!request.containsKey("method") || !request.containsKey("id")) return;
    String id = request.get("id"), method = request.get("method"), params = request.get("params");
    char first = id.charAt(0);
    if (id.length() > MOST_ID || first != '"' && first != '-' && !Character.isDigit(first)) id = "null";
    if (!"\"2.0\"".equals(request.get("jsonrpc")) || !Json.isString(method)) {
      line.send(error(id, INVALID_REQUEST, "Invalid Request", null));
      return;
    }
    Map<String, String> members;
    try {
      members = Json.members(params == null ? "{}" : params);
    } catch (Json.Invalid error) {
      line.send(error(id, INVALID_PARAMS, "Invalid params: an object", null));
      return;
    }
    method = Json.unquote(method);
    if (method.equals("hello")) hello(id, members, line);
    else if (method.equals("call")) take(new Call(line, id, params == null ? "{}" : params, isInit(members)));
    else line.send(error(id, NO_METHOD, "Method not found", null));
  }

  private static boolean isInit(Map<String, String> request) {
    String cmd = request.get("cmd");
    return Json.isString(cmd) && Json.unquote(cmd).equals("initWxpayface");
  }

  private void take(Call call) throws IOException {
    if (!waiting.offer(call)) call.line.send(error(call.id, BUSY, "one call at a time", null));
  }

  private void hello(String id, Map<String, String> params, Line line) throws IOException {
    if (!Json.isString(params.get("protocol")) || !Json.isString(params.get("agent"))) {
      line.send(error(id, INVALID_PARAMS, "Invalid params: protocol and agent", null));
      return;
    }
    Map<String, String> facts = facts();
    String bridge = facts.get("bridge");
    StringBuilder result = new StringBuilder("{\"protocol\":\"1.0\",\"bridge\":")
        .append(Json.quote(bridge == null ? "facepay-java-bridge/1.0" : bridge))
        .append(",\"session\":").append(Json.quote(session));
    for (String name : new String[] {"device_id", "net_id", "sdk_version"}) {
      String value = facts.get(name);
      if (value == null || value.length() > MOST_WORD) continue;
      if (name.equals("device_id") && !value.matches("[\\x20-\\x7e]{1,32}")) continue;
      result.append(",\"").append(name).append("\":").append(Json.quote(value));
    }
    line.send(result(id, result.append('}').toString()));
  }

  private Map<String, String> facts() {
    try {
      return sdk.facts();
    } catch (RuntimeException error) {
      LOG.log(Level.WARNING, "facts: " + error.getClass().getName());
      return Collections.emptyMap();
    }
  }

  private void makeCalls() {
    for (;;) {
      Call call;
      try {
        call = waiting.take();
      } catch (InterruptedException error) {
        return;
      }
      try {
        String answer = make(call);
        if (!call.line.send(answer)) {
          call.line.send(error(call.id, ANSWER, "the SDK's answer fits no frame", "\"code\":\"SDK_ANSWER_TOO_LARGE\""));
        }
      } catch (IOException error) {
        LOG.info("an answer could not be sent: " + error.getClass().getSimpleName());
      }
    }
  }

  /** The answer to one call: the SDK's own, or an error of JSON-RPC. */
  private String make(final Call call) {
    if (inside.get() >= MOST_STUCK) return error(call.id, HUNG, "calls of the SDK never return", "\"code\":\"SDK_HUNG\"");
    FutureTask<String> task = new FutureTask<String>(new Callable<String>() {
      @Override public String call() throws Exception {
        // Within the deadline of the call, for it may hang as well.
        if (restart) {
          restart = false;
          sdk.restart();
          if (Thread.interrupted()) throw new InterruptedException();
        }
        return sdk.call(call.params);
      }
    });
    start("facepay-bridge-sdk", counted(task));
    try {
      String answer = task.get(call.init ? initMs : callMs, TimeUnit.MILLISECONDS);
      Json.members(answer == null ? "" : answer);
      return result(call.id, answer);
    } catch (TimeoutException error) {
      task.cancel(true);
      return lost(call, HUNG, "the SDK did not answer in time", "SDK_HUNG", error);
    } catch (ExecutionException error) {
      Throwable cause = error.getCause();
      if (cause instanceof FaceSdk.Status) {
        int status = ((FaceSdk.Status) cause).status;
        return error(call.id, NATIVE, "native", "\"status\":" + status);
      }
      return lost(call, CRASHED, "the SDK has gone", "SDK_CRASHED", cause);
    } catch (Json.Invalid error) {
      return error(call.id, ANSWER, "the SDK's answer is no JSON object", "\"code\":\"SDK_ANSWER_INVALID\"");
    } catch (InterruptedException error) {
      return lost(call, CRASHED, "the bridge is ending", "SDK_CRASHED", error);
    }
  }

  /** The next call begins with a new SDK, and a new session tells the agent to initialise it. */
  private String lost(Call call, int code, String words, String name, Throwable why) {
    LOG.log(Level.WARNING, name + ": " + why.getClass().getName());
    restart = true;
    session = newSession();
    return error(call.id, code, words, "\"code\":\"" + name + "\"");
  }

  private Runnable counted(final Runnable task) {
    inside.incrementAndGet();
    return new Runnable() {
      @Override public void run() {
        try {
          task.run();
        } finally {
          inside.decrementAndGet();
        }
      }
    };
  }

  private static void start(String name, Runnable what) {
    Thread thread = new Thread(what, name);
    thread.setDaemon(true);
    thread.start();
  }

  private static String newSession() {
    return Long.toHexString(new SecureRandom().nextLong());
  }

  private static String result(String id, String result) {
    return "{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"result\":" + result + "}";
  }

  private static String error(String id, int code, String words, String data) {
    return "{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"error\":{\"code\":" + code + ",\"message\":" + Json.quote(words)
        + (data == null ? "" : ",\"data\":{" + data + "}") + "}}";
  }
}
