// javac Gateway.java && java Gateway
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Gateway {
  static final String PATH = "/v3/offlineface/authinfo";
  static final String[] URLS = env("WXPAY_URLS", "https://api.mch.weixin.qq.com,https://api2.mch.weixin.qq.com").split(",");
  static final Pattern RAW_DATA = Pattern.compile("\"raw_data\":\"([A-Za-z0-9+/]{4,8192}={0,2})\"");
  static final List<String> PASSED = List.of("content-type", "content-language", "request-id", "date", "retry-after");
  static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
      .connectTimeout(Duration.ofSeconds(3)).build();
  static final Map<String, String[]> DEVICES = new HashMap<>();
  static PrivateKey key;

  public static void main(String[] args) throws Exception {
    String pem = Files.readString(Path.of(env("MERCHANT_KEY", "apiclient_key.pem")));
    byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
    key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der));
    for (String line : Files.readAllLines(Path.of("devices.csv"))) {
      String[] fields = line.split(",", -1);
      if (fields.length == 5) DEVICES.put(fields[0], fields);
    }
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(env("PORT", "8080"))), 100);
    server.setExecutor(Executors.newFixedThreadPool(32));
    server.createContext(PATH, Gateway::handle);
    server.start();
  }

  static void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readNBytes(16_385);
      String text = new String(body, StandardCharsets.UTF_8);
      String authorization = Objects.toString(exchange.getRequestHeaders().getFirst("Authorization"), "");
      String token = authorization.startsWith("Bearer ") ? authorization.substring(7) : "";
      String[] device = DEVICES.get(sha256(token));
      if (!exchange.getRequestMethod().equals("POST")) { refuse(exchange, 405, "METHOD"); return; }
      if (device == null) { refuse(exchange, 401, "TOKEN"); return; }
      Matcher rawData = RAW_DATA.matcher(text);
      if (!rawData.find() || !text.equals(bodyOf(device, rawData.group(1)))) { refuse(exchange, 403, "NOT_THIS_DEVICE"); return; }
      String serial = Objects.toString(exchange.getRequestHeaders().getFirst("Wechatpay-Serial"), "");
      if (!serial.matches("PUB_KEY_ID_[0-9A-Za-z_-]{1,80}")) { refuse(exchange, 400, "SERIAL"); return; }
      pass(exchange, forward(body, serial));
    } catch (Exception error) {
      refuse(exchange, 502, "UPSTREAM");
    }
  }

  static String bodyOf(String[] d, String rawData) {
    String subAppid = d[3].isEmpty() ? "" : "\"sub_appid\":\"" + d[3] + "\",";
    return "{\"sp_appid\":\"" + env("SP_APPID", "") + "\"," + subAppid + "\"sub_mchid\":\"" + d[2] + "\",\"device_id\":\"" + d[1]
        + "\",\"raw_data\":\"" + rawData + "\",\"organization_id\":\"" + d[4] + "\"}";
  }

  /** The first domain, then once the second. */
  static HttpResponse<byte[]> forward(byte[] body, String serial) throws Exception {
    IOException failure = null;
    HttpResponse<byte[]> last = null;
    for (String url : URLS) {
      HttpRequest request = HttpRequest.newBuilder(URI.create(url + PATH)).timeout(Duration.ofMillis(4_500))
          .header("Accept", "application/json").header("Content-Type", "application/json")
          .header("User-Agent", "my-gateway/1.0").header("Wechatpay-Serial", serial)
          .header("Authorization", sign(body)).POST(HttpRequest.BodyPublishers.ofByteArray(body)).build();
      try {
        last = CLIENT.send(request, HttpResponse.BodyHandlers.ofByteArray());
        if (last.statusCode() < 502 || last.statusCode() > 504) return last;
      } catch (IOException error) {
        failure = error;
      }
    }
    if (last == null) throw failure;
    return last;
  }

  static String sign(byte[] body) throws GeneralSecurityException {
    String timestamp = Long.toString(System.currentTimeMillis() / 1000);
    String nonce = UUID.randomUUID().toString().replace("-", "");
    Signature signature = Signature.getInstance("SHA256withRSA");
    signature.initSign(key);
    signature.update(("POST\n" + PATH + "\n" + timestamp + "\n" + nonce + "\n").getBytes(StandardCharsets.UTF_8));
    signature.update(body);
    signature.update((byte) '\n');
    return "WECHATPAY2-SHA256-RSA2048 mchid=\"" + env("SP_MCHID", "") + "\",nonce_str=\"" + nonce + "\",signature=\""
        + Base64.getEncoder().encodeToString(signature.sign()) + "\",timestamp=\"" + timestamp + "\",serial_no=\""
        + env("MERCHANT_SERIAL_NO", "") + "\"";
  }

  static void pass(HttpExchange exchange, HttpResponse<byte[]> answer) throws IOException {
    answer.headers().map().forEach((name, values) -> {
      String lower = name.toLowerCase(Locale.ROOT);
      if (lower.startsWith("wechatpay-") || PASSED.contains(lower)) exchange.getResponseHeaders().put(name, values);
    });
    send(exchange, answer.statusCode(), answer.body());
  }

  static void refuse(HttpExchange exchange, int status, String code) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    send(exchange, status, ("{\"code\":\"" + code + "\",\"message\":\"refused by the gateway\"}").getBytes(StandardCharsets.UTF_8));
  }

  static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    if (body.length > 0) exchange.getResponseBody().write(body);
  }

  static String sha256(String text) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException error) {
      throw new IllegalStateException(error);
    }
  }

  static String env(String name, String otherwise) {
    return System.getenv().getOrDefault(name, otherwise);
  }
}
