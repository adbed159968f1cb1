package android.net;

public class LinkProperties {
  public String getInterfaceName() {
    return "wlan0";
  }
}
