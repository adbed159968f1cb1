package android.net;

public class ConnectivityManager {
  public Network getActiveNetwork() {
    return new Network();
  }

  public LinkProperties getLinkProperties(Network network) {
    return new LinkProperties();
  }
}
