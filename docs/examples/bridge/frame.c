typedef void Emit(uint8_t octet);
typedef void Payload(const uint8_t *octets, size_t length);

static uint32_t fcs(uint32_t crc, uint8_t octet) {      /* start with 0xffffffff, invert at the end */
  crc ^= octet;
  for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
  return crc;
}

static void stuffed(uint8_t octet, Emit *emit) {
  if (octet == 0x7e || octet == 0x7d || octet == 0x11 || octet == 0x13) emit(0x7d), octet ^= 0x20;
  emit(octet);
}

void send_frame(const uint8_t *payload, size_t length, Emit *emit) {
  uint32_t crc = 0xffffffff;
  emit(0x7e);
  for (size_t n = 0; n < length; n++) crc = fcs(crc, payload[n]), stuffed(payload[n], emit);
  for (int shift = 0; shift < 32; shift += 8) stuffed((uint8_t)(~crc >> shift), emit);
  emit(0x7e);
}

void receive(uint8_t octet, Payload *on_payload) {      /* call it with every octet that comes in */
  static uint8_t frame[8192 + 4];
  static size_t length;
  static int escaped, too_long;
  if (octet == 0x7e) {
    uint32_t crc = 0xffffffff, sent = 0;
    for (size_t n = 0; n + 4 < length; n++) crc = fcs(crc, frame[n]);
    for (int n = 1; n <= 4 && length > 4; n++) sent = sent << 8 | frame[length - n];
    if (length > 4 && !escaped && !too_long && ~crc == sent) on_payload(frame, length - 4);
    length = 0, escaped = too_long = 0;
  } else if (octet == 0x7d && !escaped) {
    escaped = 1;
  } else if (length == sizeof frame) {
    too_long = 1, escaped = 0;
  } else {
    frame[length++] = escaped ? octet ^ 0x20 : octet, escaped = 0;
  }
}
