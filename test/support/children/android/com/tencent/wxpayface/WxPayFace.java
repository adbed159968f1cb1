package com.tencent.wxpayface;

import android.content.Context;
import java.util.HashMap;
import java.util.Map;

/** The vendor's calls, by their public names and forms. It answers on a thread of its own, as the library does. */
@SuppressWarnings("rawtypes")
public final class WxPayFace {
  private static final WxPayFace ONE = new WxPayFace();

  public static WxPayFace getInstance() {
    return ONE;
  }

  public void initWxpayface(Context context, Map options, IWxPayfaceCallback callback) {
    // By one thread, which keeps their order.
    give(callback, success("return_msg", options.toString()), success("return_msg", "again"));
  }

  public void getWxpayfaceRawdata(IWxPayfaceCallback callback) {
    give(callback, success("rawdata", "+//+"));
  }

  public void getSdkInfo(Map options, IWxPayfaceCallback callback) {
    give(callback, success("sdk_version", "2.32.300"));
  }

  public void updateNothing(Map options, final IWxPayfaceCallback callback) {
    give(callback, new Map[] {null});
  }

  public void releaseWxpayface(Context context) {
  }

  private static Map success(String name, Object value) {
    Map<String, Object> info = new HashMap<String, Object>();
    info.put("return_code", "SUCCESS");
    info.put("err_code", 0);
    info.put(name, value);
    return info;
  }

  private static void give(final IWxPayfaceCallback callback, final Map... answers) {
    new Thread() {
      @Override public void run() {
        try {
          for (Map info : answers) callback.response(info);
        } catch (android.os.RemoteException error) {
          throw new IllegalStateException(error);
        }
      }
    }.start();
  }
}
