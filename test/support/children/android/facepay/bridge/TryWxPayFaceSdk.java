package facepay.bridge;

import java.util.TreeMap;

/** Prints the members of what each request in the arguments is answered with, in order, then the facts. */
public final class TryWxPayFaceSdk {
  public static void main(String[] requests) throws Exception {
    WxPayFaceSdk sdk = new WxPayFaceSdk(new android.content.Context(), "SN-1");
    for (String request : requests) {
      try {
        System.out.println(new TreeMap<String, String>(Json.members(sdk.call(request))));
      } catch (FaceSdk.Status error) {
        System.out.println(error.getMessage());
      }
    }
    System.out.println(new TreeMap<String, String>(sdk.facts()));
  }
}
