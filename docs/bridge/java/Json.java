package facepay.bridge;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Strict JSON (RFC 8259) that keeps values as they are written: what passes through the bridge must not change, and a parser that
 * makes doubles of numbers would round those beyond 2^53. Depth is bounded; the length is the caller's concern.
 */
final class Json {
  private static final int MOST_DEPTH = 64;
  private static final Charset UTF_8 = Charset.forName("UTF-8");

  static final class Invalid extends Exception {
    private static final long serialVersionUID = 1;

    Invalid(String what) {
      super(what);
    }
  }

  private final String text;
  private int at;

  private Json(String text) {
    this.text = text;
  }

  /** The members of one JSON object, each with the text of its value; of doubled names the last one. The whole text is checked. */
  static Map<String, String> members(String text) throws Invalid {
    Json json = new Json(text);
    Map<String, String> members = new LinkedHashMap<String, String>();
    json.blank();
    if (json.peek() != '{') {
      json.value(0);
      json.end();
      throw new Invalid("no object");
    }
    json.object(1, members);
    json.end();
    return members;
  }

  /** Whether the text of a value is a string. */
  static boolean isString(String value) {
    return value != null && value.startsWith("\"");
  }

  /** What a string says; its text must come from members(). */
  static String unquote(String value) {
    StringBuilder out = new StringBuilder(value.length());
    for (int n = 1; n < value.length() - 1; n++) {
      char c = value.charAt(n);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      c = value.charAt(++n);
      int control = "bfnrt".indexOf(c);
      if (c == 'u') {
        out.append((char) Integer.parseInt(value.substring(n + 1, n + 5), 16));
        n += 4;
      } else {
        out.append(control < 0 ? c : "\b\f\n\r\t".charAt(control));
      }
    }
    return out.toString();
  }

  static String quote(String words) {
    StringBuilder out = new StringBuilder(words.length() + 2).append('"');
    for (int n = 0; n < words.length(); n++) {
      char c = words.charAt(n);
      if (c == '"' || c == '\\') out.append('\\').append(c);
      else if (c < ' ') out.append("\\u00").append(c < 16 ? "0" : "").append(Integer.toHexString(c));
      else out.append(c);
    }
    return out.append('"').toString();
  }

  static String decode(byte[] octets) throws Invalid {
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(octets)).toString();
    } catch (CharacterCodingException error) {
      throw new Invalid("no UTF-8");
    }
  }

  static byte[] encode(String words) throws Invalid {
    try {
      ByteBuffer octets = UTF_8.newEncoder().encode(CharBuffer.wrap(words));
      byte[] copy = new byte[octets.remaining()];
      octets.get(copy);
      return copy;
    } catch (CharacterCodingException error) {
      throw new Invalid("no Unicode");
    }
  }

  private void value(int depth) throws Invalid {
    if (depth > MOST_DEPTH) throw new Invalid("too deep");
    char c = peek();
    if (c == '{') object(depth + 1, null);
    else if (c == '[') array(depth + 1);
    else if (c == '"') string();
    else if (c == '-' || c >= '0' && c <= '9') number();
    else if (!word("true") && !word("false") && !word("null")) throw new Invalid("no value");
  }

  private void object(int depth, Map<String, String> members) throws Invalid {
    at++;
    blank();
    if (skip('}')) return;
    do {
      blank();
      int from = at;
      string();
      String name = text.substring(from, at);
      blank();
      need(':');
      blank();
      from = at;
      value(depth);
      if (members != null) members.put(unquote(name), text.substring(from, at));
      blank();
    } while (skip(','));
    need('}');
  }

  private void array(int depth) throws Invalid {
    at++;
    blank();
    if (skip(']')) return;
    do {
      blank();
      value(depth);
      blank();
    } while (skip(','));
    need(']');
  }

  private void string() throws Invalid {
    need('"');
    for (;;) {
      char c = peek();
      at++;
      if (c == '"') return;
      if (c < ' ') throw new Invalid("a string that does not end, or a control character in it");
      if (c != '\\') continue;
      c = peek();
      at++;
      if (c == 'u') {
        for (int n = 0; n < 4; n++) if (Character.digit(ascii(), 16) < 0) throw new Invalid("an escape");
      } else if (c == 0 || "\"\\/bfnrt".indexOf(c) < 0) {
        throw new Invalid("an escape");
      }
    }
  }

  private char ascii() {
    char c = peek();
    at++;
    return c < 128 ? c : 0;
  }

  private void number() throws Invalid {
    skip('-');
    if (!skip('0')) digits();
    if (skip('.')) digits();
    if (skip('e') || skip('E')) {
      if (!skip('+')) skip('-');
      digits();
    }
  }

  private void digits() throws Invalid {
    int from = at;
    while (peek() >= '0' && peek() <= '9') at++;
    if (at == from) throw new Invalid("a number");
  }

  private boolean word(String word) {
    boolean here = text.startsWith(word, at);
    if (here) at += word.length();
    return here;
  }

  private void blank() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
  }

  /** The next character; 0, which no JSON has outside of nothing, at the end. */
  private char peek() {
    return at < text.length() ? text.charAt(at) : 0;
  }

  private boolean skip(char c) {
    boolean here = peek() == c;
    if (here) at++;
    return here;
  }

  private void need(char c) throws Invalid {
    if (!skip(c)) throw new Invalid(c + " is missing");
  }

  private void end() throws Invalid {
    blank();
    if (at != text.length()) throw new Invalid("more than one value");
  }
}
