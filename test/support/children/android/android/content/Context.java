package android.content;

public class Context {
  public static final String CONNECTIVITY_SERVICE = "connectivity";

  public Context getApplicationContext() {
    return this;
  }

  public Object getSystemService(String name) {
    return new android.net.ConnectivityManager();
  }
}
