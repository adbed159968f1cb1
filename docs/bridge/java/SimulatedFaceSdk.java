package facepay.bridge;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.Map;

/**
 * A replacement for the vendor's SDK, to try FaceBridge on a desktop JVM: java -cp DIR facepay.bridge.SimulatedFaceSdk DEVICE SN. Set the
 * line first: stty -F DEVICE 115200 raw -echo. It ends with its standard input. One request misbehaves when it has a member
 * "simulate": "hang", "crash", "status N", "huge N", "text", "garbage" or "empty". simulatedEcho answers with its request,
 * simulatedSdk with counters.
 */
public final class SimulatedFaceSdk implements FaceSdk {
  private static final String ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  private static final int RAWDATA = 672, CALL_MS = 9_000, INIT_MS = 14_000, REOPEN_MS = 1_000;
  private final SecureRandom random = new SecureRandom();
  private final String deviceId;
  private volatile boolean initialised;

  public SimulatedFaceSdk(String deviceId) {
    this.deviceId = deviceId;
  }

  @Override public Map<String, String> facts() {
    Map<String, String> facts = new HashMap<String, String>();
    facts.put("bridge", "simulated-java-bridge/1.0");
    facts.put("device_id", deviceId);
    facts.put("net_id", "eth0-02:00:00:00:00:01");
    facts.put("sdk_version", "2.32.300");
    return facts;
  }

  @Override public void restart() {
    initialised = false;
  }

  @Override public String call(String request) throws Exception {
    Map<String, String> members = Json.members(request);
    String cmd = word(members, "cmd"), simulate = word(members, "simulate");
    if (simulate.equals("hang")) Thread.sleep(Long.MAX_VALUE);
    if (simulate.equals("crash")) throw new IllegalStateException("simulated crash");
    if (simulate.startsWith("status ")) throw new Status(Integer.parseInt(simulate.substring(7)));
    if (simulate.startsWith("huge ")) return answer("SUCCESS", zeros(Integer.parseInt(simulate.substring(5))), "");
    if (simulate.equals("text")) return "OK";
    if (simulate.equals("garbage")) return "{\"return_code\":\"\u0000\"}";
    if (simulate.equals("empty")) return "";
    if (cmd.equals("simulatedEcho")) return "{\"return_code\":\"SUCCESS\",\"request\":" + request + "}";
    if (cmd.equals("simulatedSdk")) return answer("SUCCESS", "", ",\"outstanding\":0");
    if (cmd.isEmpty()) return answer("PARAM_ERROR", "cmd不能为空", "");
    if (cmd.equals("initWxpayface")) {
      boolean good = word(members, "version").equals("1") && members.containsKey("now");
      if (!good) return answer("PARAM_ERROR", "version或now错误", "");
      initialised = true;
    }
    if (!initialised) return answer("FAIL", "刷脸服务未初始化", ",\"err_code\":271378620");
    if (cmd.equals("getWxpayfaceRawdata")) return answer("SUCCESS", "", ",\"rawdata\":\"" + rawdata() + "\"");
    if (cmd.equals("getSdkInfo")) return answer("SUCCESS", "", ",\"sdk_version\":\"2.32.300\"");
    return answer("SUCCESS", "", "");
  }

  private static String answer(String code, String words, String more) {
    return "{\"return_code\":\"" + code + "\",\"return_msg\":" + Json.quote(words) + more + "}";
  }

  private static String word(Map<String, String> members, String name) {
    String value = members.get(name);
    return Json.isString(value) ? Json.unquote(value) : "";
  }

  private static String zeros(int length) {
    return new String(new char[length]).replace('\0', '0');
  }

  private String rawdata() {
    StringBuilder out = new StringBuilder("+//+");
    while (out.length() < RAWDATA) out.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
    return out.toString();
  }

  public static void main(String[] args) throws Exception {
    if (args.length != 2) {
      System.err.println("usage: java -cp DIR facepay.bridge.SimulatedFaceSdk DEVICE SN");
      System.exit(64);
    }
    endWithInput();
    FaceBridge bridge = new FaceBridge(new SimulatedFaceSdk(args[1]), CALL_MS, INIT_MS);
    for (;;) {
      try (FileInputStream in = new FileInputStream(args[0]); FileOutputStream out = new FileOutputStream(args[0])) {
        bridge.serve(in, out);
      } catch (IOException error) {
        System.err.println(args[0] + ": " + error.getMessage());
      }
      Thread.sleep(REOPEN_MS);
    }
  }

  /** The process that started this one may end without a word. */
  private static void endWithInput() {
    Thread watch = new Thread("end-with-input") {
      @Override public void run() {
        try {
          while (System.in.read() != -1) continue;
        } catch (IOException error) {
          System.err.println(error.getMessage());
        }
        Runtime.getRuntime().halt(0);
      }
    };
    watch.setDaemon(true);
    watch.start();
  }
}
