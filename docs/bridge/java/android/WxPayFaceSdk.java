package facepay.bridge;

import android.content.Context;
import android.net.ConnectivityManager;
import android.net.LinkProperties;
import com.tencent.wxpayface.IWxPayfaceCallback;
import com.tencent.wxpayface.WxPayFace;
import java.lang.reflect.InvocationTargetException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;

/**
 * FaceSdk over the vendor's library for Android, whose calls take and return maps. It has been compiled against stand-ins for the
 * vendor's classes, and never been run with the real ones: see README.md.
 */
public final class WxPayFaceSdk implements FaceSdk {
  private final Context context;
  private final String deviceId;

  /** deviceId: the SN on the name plate, null to leave it to the agent's configuration (identity.device_id). */
  public WxPayFaceSdk(Context context, String deviceId) {
    this.context = context.getApplicationContext();
    this.deviceId = deviceId;
  }

  @Override public Map<String, String> facts() {
    Map<String, String> facts = new HashMap<String, String>();
    facts.put("bridge", "android-wxpayface/1.0");
    if (deviceId != null) facts.put("device_id", deviceId);
    // An authinfo is bound to the network card, so the agent renews it when this changes.
    ConnectivityManager networks = (ConnectivityManager) context.getSystemService(Context.CONNECTIVITY_SERVICE);
    LinkProperties active = networks.getLinkProperties(networks.getActiveNetwork());
    if (active != null) facts.put("net_id", active.getInterfaceName());
    return facts;
  }

  @Override public String call(String request) throws Exception {
    Map<String, Object> members = valuesOf(Json.members(request));
    Object cmd = members.remove("cmd");
    final ArrayBlockingQueue<Map<?, ?>> answers = new ArrayBlockingQueue<Map<?, ?>>(1);
    // The library calls back again later when it has had to initialise itself anew: only the first answer counts.
    IWxPayfaceCallback callback = new IWxPayfaceCallback() {
      @Override public void response(@SuppressWarnings("rawtypes") Map info) {
        answers.offer(info == null ? NOTHING : info);
      }
    };
    WxPayFace sdk = WxPayFace.getInstance();
    if ("initWxpayface".equals(cmd)) {
      // Of the C interface only; what is left is the configuration's [driver.init].
      members.remove("version");
      members.remove("now");
      sdk.initWxpayface(context, members, callback);
    } else if ("getWxpayfaceRawdata".equals(cmd)) {
      sdk.getWxpayfaceRawdata(callback);
    } else {
      try {
        WxPayFace.class.getMethod(String.valueOf(cmd), Map.class, IWxPayfaceCallback.class).invoke(sdk, members, callback);
      } catch (NoSuchMethodException error) {
        return "{\"return_code\":\"PARAM_ERROR\",\"return_msg\":\"no such call\"}";
      } catch (InvocationTargetException error) {
        throw new IllegalStateException(error.getCause());
      }
    }
    Map<?, ?> answer = answers.take();
    if (answer == NOTHING) throw new Status(-1);
    return textOf(answer);
  }

  @Override public void restart() {
    WxPayFace.getInstance().releaseWxpayface(context);
  }

  private static final Map<?, ?> NOTHING = new HashMap<String, String>();

  private static Map<String, Object> valuesOf(Map<String, String> members) {
    Map<String, Object> values = new HashMap<String, Object>();
    for (Map.Entry<String, String> member : members.entrySet()) {
      String text = member.getValue();
      Object value = text;
      if (Json.isString(text)) value = Json.unquote(text);
      else if (text.equals("true") || text.equals("false")) value = Boolean.valueOf(text);
      else if (text.matches("-?[0-9]{1,9}")) value = Integer.valueOf(text);
      else if (text.equals("null")) continue;
      values.put(member.getKey(), value);
    }
    return values;
  }

  private static String textOf(Map<?, ?> answer) {
    StringBuilder out = new StringBuilder("{");
    for (Map.Entry<?, ?> member : answer.entrySet()) {
      Object value = member.getValue();
      if (value == null) continue;
      boolean plain = value instanceof Integer || value instanceof Long || value instanceof Boolean;
      out.append(out.length() == 1 ? "" : ",").append(Json.quote(String.valueOf(member.getKey()))).append(':')
          .append(plain ? value.toString() : Json.quote(value.toString()));
    }
    return out.append('}').toString();
  }
}
