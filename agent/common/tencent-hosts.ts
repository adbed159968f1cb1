/** A name of WeChat Pay's own, which has public addresses wherever one asks. */
export function isTencentName(host: string): boolean {
  return /(^|\.)(qq\.com|wechatpay\.cn|tencent\.com)\.?$/i.test(host);
}
