"""A bridge in Python 3 on a serial line: bridge.py DEVICE. Put the vendor's SDK into call_sdk; docs/bridge.md explains the protocol."""

import base64, json, os, sys, termios, tty, zlib

SESSION = os.urandom(8).hex()  # another one after every start of the SDK
MOST = 8192
SPECIAL = b"\x7e\x7d\x11\x13"
initialised = False


def call_sdk(request):
    """One request, as text: the status of the native call, and the SDK's answer as text. It must return within 9 s (init: 14 s)."""
    global initialised
    cmd = json.loads(request).get("cmd")
    if cmd == "initWxpayface":
        initialised = True
    if not cmd:
        return 0, '{"return_code":"PARAM_ERROR","return_msg":"cmd"}'
    if not initialised:
        return 0, '{"return_code":"FAIL","return_msg":"","err_code":271378620}'
    if cmd == "getWxpayfaceRawdata":
        rawdata = base64.b64encode(os.urandom(504)).decode()
        return 0, '{"return_code":"SUCCESS","return_msg":"","rawdata":"%s"}' % rawdata
    return 0, '{"return_code":"SUCCESS","return_msg":""}'


def frame(payload):
    octets = payload + zlib.crc32(payload).to_bytes(4, "little")
    return b"\x7e" + b"".join(bytes([0x7D, o ^ 0x20]) if o in SPECIAL else bytes([o]) for o in octets) + b"\x7e"


def payload_of(octets):
    """The payload between two flags, None for what is no frame."""
    if octets.endswith(b"\x7d"):
        return None  # aborted
    first, *rest = octets.split(b"\x7d")
    plain = first + b"".join(bytes([part[0] ^ 0x20]) + part[1:] if part else b"" for part in rest)
    payload, fcs = plain[:-4], plain[-4:]
    good = 1 <= len(payload) <= MOST and zlib.crc32(payload).to_bytes(4, "little") == fcs
    return payload if good else None


def answer(payload):
    """The answer to one payload, None for what is not answered."""
    try:
        request = json.loads(payload.decode("utf-8"))
    except ValueError:
        return error(None, -32700, "Parse error")
    if not isinstance(request, dict):
        return error(None, -32600, "Invalid Request")
    if "method" not in request or "id" not in request:
        return None
    number, method, params = request["id"], request["method"], request.get("params")
    if method == "hello":
        facts = {"protocol": "1.0", "bridge": "mybridge/1.0", "session": SESSION, "device_id": "SN-1"}
        return result(number, json.dumps(facts))
    if method == "call" and isinstance(params, dict):
        # Whole numbers of any size stay as they are; json would write other numbers in its own way.
        status, said = call_sdk(json.dumps(params, ensure_ascii=False))
        return result(number, said) if status == 0 else error(number, -32000, "native", {"status": status})
    return error(number, -32601, "Method not found")


def result(number, text):
    whole = '{"jsonrpc":"2.0","id":%s,"result":%s}' % (json.dumps(number), text)
    return whole.encode() if len(whole.encode()) <= MOST else error(number, -32004, "the SDK's answer fits no frame")


def error(number, code, message, data=None):
    problem = {"code": code, "message": message, **({"data": data} if data else {})}
    return json.dumps({"jsonrpc": "2.0", "id": number, "error": problem}).encode()


def serve(line):
    between, longest = b"", 2 * (MOST + 4)
    while chunk := os.read(line, 4096):
        *frames, between = (between + chunk).split(b"\x7e")
        # What is too long for a frame is cut, so that it fits no more and takes no more room.
        between = between[: longest + 1]
        for octets in frames:
            payload = payload_of(octets) if 4 < len(octets) <= longest else None
            reply = answer(payload) if payload else None
            sent = frame(reply) if reply else b""
            while sent:
                sent = sent[os.write(line, sent) :]


if __name__ == "__main__":
    device = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
    tty.setraw(device, termios.TCSANOW)  # what has already come in stays
    serve(device)
