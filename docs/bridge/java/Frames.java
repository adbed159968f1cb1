package facepay.bridge;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.zip.CRC32;

/** The frames of specification 3: RFC 1662 section 4 without address, control and protocol, FCS-32. Holds one frame at most. */
final class Frames {
  static final int MOST_PAYLOAD = 8192;
  private static final int FLAG = 0x7e, ESCAPE = 0x7d, XON = 0x11, XOFF = 0x13, FLIP = 0x20, FCS = 4;

  /** Frames that were good, and those that were not: damaged, aborted, too short or too long. */
  volatile long good, dropped;

  private final byte[] buffer = new byte[MOST_PAYLOAD + FCS];
  private int length;
  private boolean escaped, tooLong;

  /** Takes one octet from the line. Returns the payload when it ends a good frame, else null. */
  byte[] take(int octet) {
    if (octet == FLAG) return end();
    if (octet == ESCAPE && !escaped) {
      escaped = true;
    } else if (length == buffer.length) {
      tooLong = true;
      escaped = false;
    } else {
      buffer[length++] = (byte) (escaped ? octet ^ FLIP : octet);
      escaped = false;
    }
    return null;
  }

  private byte[] end() {
    boolean empty = length == 0 && !escaped;
    int end = length - FCS;
    boolean fits = end > 0 && !escaped && !tooLong && fcs(buffer, end) == sent(end);
    length = 0;
    escaped = tooLong = false;
    if (fits) {
      good++;
      return Arrays.copyOf(buffer, end);
    }
    if (!empty) dropped++;
    return null;
  }

  private long sent(int at) {
    long value = 0;
    for (int n = FCS - 1; n >= 0; n--) value = value << 8 | buffer[at + n] & 0xff;
    return value;
  }

  private static long fcs(byte[] octets, int length) {
    CRC32 crc = new CRC32();
    crc.update(octets, 0, length);
    return crc.getValue();
  }

  /** One frame with both flags, around 1 to 8192 octets. */
  static byte[] frame(byte[] payload) {
    if (payload.length < 1 || payload.length > MOST_PAYLOAD) throw new IllegalArgumentException("1 to 8192 octets");
    ByteArrayOutputStream out = new ByteArrayOutputStream(payload.length + 16);
    out.write(FLAG);
    for (byte octet : payload) stuff(octet & 0xff, out);
    long crc = fcs(payload, payload.length);
    for (int n = 0; n < FCS; n++) stuff((int) (crc >> 8 * n) & 0xff, out);
    out.write(FLAG);
    return out.toByteArray();
  }

  private static void stuff(int octet, ByteArrayOutputStream out) {
    if (octet == FLAG || octet == ESCAPE || octet == XON || octet == XOFF) {
      out.write(ESCAPE);
      out.write(octet ^ FLIP);
    } else {
      out.write(octet);
    }
  }
}
