package facepay.bridge;

import java.util.Map;

/** The vendor's face SDK, as FaceBridge needs it. */
public interface FaceSdk {
  /**
   * What hello reports, asked at every hello, so it must return at once: "bridge" ("name/version"), and "device_id" (1 to 32 printable
   * ASCII characters), "net_id" (changes when another network card becomes active) and "sdk_version", each left out while unknown.
   */
  Map<String, String> facts();

  /**
   * Makes one call of the SDK; never two at once. The request is one JSON object with "cmd", the answer is the SDK's answer as one JSON
   * object. The calling thread is interrupted at the deadline. Throws Status for a native call that returned non-zero. Any other
   * exception means that the SDK has gone and its next instance is not initialised.
   */
  String call(String request) throws Exception;

  /** Ends what is left of a call that failed or passed its deadline, and begins with a new instance of the SDK. */
  void restart() throws Exception;

  /** What the native call returned instead of 0; -1 means that the SDK's own service does not run. */
  final class Status extends Exception {
    private static final long serialVersionUID = 1;
    final int status;

    public Status(int status) {
      super("status " + status);
      this.status = status;
    }
  }
}
