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
    answer(callback, "return_msg", options.toString());
    answer(callback, "return_msg", "again");
  }

  public void getWxpayfaceRawdata(IWxPayfaceCallback callback) {
    answer(callback, "rawdata", "+//+");
  }

  public void getSdkInfo(Map options, IWxPayfaceCallback callback) {
    answer(callback, "sdk_version", "2.32.300");
  }

  public void updateNothing(Map options, final IWxPayfaceCallback callback) {
    give(callback, null);
  }

  public void releaseWxpayface(Context context) {
  }

  private static void answer(IWxPayfaceCallback callback, String name, Object value) {
    Map<String, Object> info = new HashMap<String, Object>();
    info.put("return_code", "SUCCESS");
    info.put("err_code", 0);
    info.put(name, value);
    give(callback, info);
  }

  private static void give(final IWxPayfaceCallback callback, final Map info) {
    new Thread() {
      @Override public void run() {
        try {
          callback.response(info);
        } catch (android.os.RemoteException error) {
          throw new IllegalStateException(error);
        }
      }
    }.start();
  }
}
