# python3 authinfo.py [SOCKET]
import http.client, json, socket, sys

TEXTS = {
    "AUTHINFO_ABSENT": "刷脸支付准备中，请稍候或扫码支付",
    "AUTHINFO_EXPIRED": "暂时不能刷脸支付，请扫码支付",
    "UNPROVISIONED": "本机尚未开通刷脸支付，请扫码支付",
}
UNAVAILABLE = "刷脸支付暂不可用，请扫码支付"

class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=2)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

def read_authinfo(path):
    """(document, None), or (None, what to show the shopper)."""
    connection = UnixConnection(path)
    try:
        connection.request("GET", "/v1/authinfo")
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, ValueError, http.client.HTTPException):  # no socket, no permission, no answer in time
        return None, UNAVAILABLE
    finally:
        connection.close()
    if not isinstance(answer, dict):
        return None, UNAVAILABLE
    if response.status == 200:
        return answer, None
    text = TEXTS.get(answer.get("code"), UNAVAILABLE)
    code = answer.get("support_code")
    return None, f"{text}\n支持代码 {code}" if code else text

found, text = read_authinfo(sys.argv[1] if len(sys.argv) > 1 else "/run/facepay-agent/api.sock")
print(text or f"{found['state']}, generation {found['generation']}, {found['remaining_s']} s left")
