#!/bin/sh
socket=${1:-/run/facepay-agent/api.sock}
answer=$(curl -s --max-time 2 --unix-socket "$socket" -w '\n%{http_code}' http://localhost/v1/authinfo)
case $answer in
  '{"authinfo":'*'
200') printf '%s\n' "$answer" | head -n 1 ;;
  *'"code":"AUTHINFO_ABSENT"'*) echo "刷脸支付准备中，请稍候或扫码支付" ;;
  *'"code":"AUTHINFO_EXPIRED"'*) echo "暂时不能刷脸支付，请扫码支付" ;;
  *'"code":"UNPROVISIONED"'*) echo "本机尚未开通刷脸支付，请扫码支付" ;;
  *) echo "刷脸支付暂不可用，请扫码支付" ;;
esac
code=$(printf '%s' "$answer" | sed -n 's/.*"support_code":"\([0-9A-Z-]*\)".*/\1/p')
[ -z "$code" ] || echo "支持代码 $code"
