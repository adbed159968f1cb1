package com.tencent.wxpayface;

public abstract class IWxPayfaceCallback {
  @SuppressWarnings("rawtypes")
  public abstract void response(java.util.Map info) throws android.os.RemoteException;
}
