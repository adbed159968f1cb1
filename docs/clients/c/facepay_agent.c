/* See facepay_agent.h. Requests are HTTP/1.0, so that answers come without chunks. */
#define _POSIX_C_SOURCE 200809L
#include "facepay_agent.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { SLICE_MS = 200, SILENCE_MS = 40000, FIRST_PAUSE_MS = 200, LONGEST_PAUSE_MS = 5000 };
#define STARTING "刷脸支付准备中，请稍候或扫码支付", "Face payment is starting. Please wait or pay by QR code."
#define NETWORK "网络异常，暂不能刷脸，请扫码支付", "Network problem: no face payment now. Please pay by QR code."
#define EXPIRED "暂时不能刷脸支付，请扫码支付", "No face payment at the moment. Please pay by QR code."
#define DEVICE "刷脸设备异常，请扫码支付", "The face camera does not respond. Please pay by QR code."
#define SETUP "本机尚未开通刷脸支付，请扫码支付", "Face payment is not set up here. Please pay by QR code."
#define UNAVAILABLE "刷脸支付暂不可用，请扫码支付", "Face payment is unavailable. Please pay by QR code."

/* How the code and the cause begin, and what to show the shopper. The first row that fits counts. */
static const struct { const char *code, *cause, *zh, *en; } texts[] = {
  {"AUTHINFO_", "BRIDGE_", DEVICE}, {"AUTHINFO_", "SDK_", DEVICE}, {"AUTHINFO_", "DEVICE_", DEVICE},
  {"AUTHINFO_", "PAY_DNS", NETWORK}, {"AUTHINFO_", "PAY_CONNECT", NETWORK}, {"AUTHINFO_", "PAY_UNREACHABLE", NETWORK},
  {"AUTHINFO_", "PAY_TIMEOUT", NETWORK}, {"AUTHINFO_", "PAY_TLS", NETWORK}, {"AUTHINFO_", "PAY_PROXY", NETWORK},
  {"AUTHINFO_", "PAY_CAPTIVE", NETWORK}, {"AUTHINFO_", "PAY_", UNAVAILABLE}, {"AUTHINFO_ABSENT", "", STARTING},
  {"AUTHINFO_EXPIRED", "", EXPIRED}, {"UNPROVISIONED", "", SETUP}, {"", "", UNAVAILABLE},
};

static int begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }
static long now_ms(void) {
  struct timespec now;
  return clock_gettime(CLOCK_MONOTONIC, &now), now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}
static void pause_ms(long ms) { nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL); }
static long jitter(long most) { return most / 2 + (now_ms() * 7919L + getpid()) % (most / 2 + 1); }

/* The value of a member of this object itself, not of one inside it. */
static const char *find(const char *json, const char *name) {
  size_t length = strlen(name);
  int depth = 0;
  for (const char *at = json; *at != '\0'; at++) {
    if (*at == '{' || *at == '[') depth++;
    if ((*at == '}' || *at == ']') && --depth == 0) return NULL;
    if (*at != '"') continue;
    const char *text = ++at;
    for (; *at != '"' && *at != '\0'; at++)
      if (*at == '\\' && at[1] != '\0') at++;
    if (*at == '\0') return NULL;
    const char *colon = at + 1 + strspn(at + 1, " \t\r\n");
    if (depth == 1 && *colon == ':' && at - text == (long)length && memcmp(text, name, length) == 0)
      return colon + 1 + strspn(colon + 1, " \t\r\n");
  }
  return NULL;
}

int facepay_member(const char *json, const char *name, char *value, size_t size) {
  const char *at = find(json, name);
  size_t length = 0;
  if (value[0] = '\0', at == NULL || size < 2) return 0;
  int text = *at == '"';
  for (at += text; (text ? *at != '"' : strchr(",}] \t\r\n", *at) == NULL) && *at != '\0' && length < size - 1; at++) {
    if (*at == '\\' && at[1] != '\0') at++; /* the agent's texts hold \" and \\; other escapes are not in these members */
    value[length++] = *at;
  }
  value[length] = '\0';
  return text ? *at == '"' : length > 0 && strchr(",}] \t\r\n", *at) != NULL;
}

static void show(facepay_authinfo *out) {
  int n = 0;
  while (!begins(out->code, texts[n].code) || !begins(out->cause, texts[n].cause)) n++; /* the last row fits all */
  out->zh = texts[n].zh, out->en = texts[n].en;
}

static int unreachable(facepay_authinfo *out) {
  memset(out, 0, sizeof *out);
  return strcpy(out->code, "AGENT_UNREACHABLE"), show(out), 0;
}

/* The document of a 200 or of an event, the problem of a 503; anything else is no answer of the agent. */
static int understand(const char *json, facepay_authinfo *out) {
  char number[24];
  const char *inner;
  size_t length = strlen(json);
  unreachable(out);
  if (length == 0 || length >= sizeof out->json || json[length - 1] != '}') return 0;
  if (facepay_member(json, "authinfo", out->authinfo, sizeof out->authinfo) && out->authinfo[0] != '\0') {
    out->ok = 1, out->code[0] = '\0', out->zh = out->en = "";
    facepay_member(json, "state", out->state, sizeof out->state);
    if (facepay_member(json, "generation", number, sizeof number)) out->generation = atol(number);
    if (facepay_member(json, "remaining_s", number, sizeof number)) out->remaining_s = atol(number);
    if ((inner = find(json, "renewal")) != NULL) facepay_member(inner, "code", out->cause, sizeof out->cause);
  } else if (facepay_member(json, "code", out->code, sizeof out->code)) {
    if ((inner = find(json, "cause")) != NULL) facepay_member(inner, "code", out->cause, sizeof out->cause);
    show(out);
  } else return unreachable(out);
  strcpy(out->json, json);
  return out->ok;
}

/* Connects and sends the request; a file descriptor or -1. EAGAIN: more are waiting to be accepted than the socket takes. */
static int ask(const char *path, const char *request, long deadline) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd;
  if (path == NULL && (path = getenv("FACEPAY_AGENT_SOCKET")) == NULL) path = "/run/facepay-agent/api.sock";
  if (strlen(path) >= sizeof address.sun_path || (fd = socket(AF_UNIX, SOCK_STREAM, 0)) < 0) return -1;
  strcpy(address.sun_path, path);
  for (;;) {
    long left = deadline - now_ms();
    struct timeval limit = {left > 0 ? left / 1000 : 0, left > 0 ? left % 1000 * 1000 : 1};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit); /* for connect() too */
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) break;
    if ((errno != EAGAIN && errno != EINTR) || left <= 0) return close(fd), -1;
    pause_ms(jitter(50));
  }
  if (send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request)) return fd;
  return close(fd), -1;
}

/* The body of the answer, whole, in `answer`; NULL when there was none in time. */
static const char *whole(int fd, char *answer, size_t size, long deadline) {
  size_t length = 0;
  ssize_t got = -1;
  struct pollfd ready = {.fd = fd, .events = POLLIN};
  while (fd >= 0 && length < size - 1 && now_ms() < deadline && poll(&ready, 1, (int)(deadline - now_ms())) > 0 &&
         (got = recv(fd, answer + length, size - 1 - length, 0)) > 0) length += (size_t)got;
  if (fd >= 0) close(fd);
  answer[length] = '\0';
  char *body = strstr(answer, "\r\n\r\n"), *told = strstr(answer, "Content-Length: ");
  if (got != 0 || body == NULL || told == NULL || told > body) return NULL;
  return strlen(body + 4) == (size_t)atol(told + 16) ? body + 4 : NULL;
}

int facepay_read(const char *socket_path, int timeout_ms, facepay_authinfo *out) {
  static const char request[] = "GET /v1/authinfo HTTP/1.0\r\nHost: localhost\r\n\r\n";
  char answer[64 * 1024];
  long deadline = now_ms() + timeout_ms;
  const char *body = whole(ask(socket_path, request, deadline), answer, sizeof answer, deadline);
  return body == NULL ? unreachable(out) : understand(body, out);
}

/* One event stream, to its end: 1 when anything came, 0 when not, -1 when the listener wants no more. */
static int stream(const char *path, int timeout_ms, facepay_listener *listener, void *context, const volatile int *stop,
                  facepay_authinfo *now) {
  static const char request[] = "GET /v1/authinfo/events HTTP/1.0\r\nHost: localhost\r\n\r\n";
  char line[sizeof now->json + 8], chunk[4096];
  size_t length = 0;
  int heard = 0, end = 0, fd = ask(path, request, now_ms() + timeout_ms);
  long silent = now_ms() + timeout_ms; /* until the first event the time-out of a request holds */
  while (fd >= 0 && !*stop && !end && now_ms() < silent) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, SLICE_MS) <= 0) continue;
    ssize_t got = recv(fd, chunk, sizeof chunk, 0);
    if (got <= 0) break;
    for (ssize_t n = 0; n < got && !end; n++) {
      if (chunk[n] != '\n') {
        if (length == sizeof line - 1) end = 1;
        else line[length++] = chunk[n];
        continue;
      }
      line[length] = '\0', length = 0;
      if (!begins(line, "data:")) continue;
      heard = 1, understand(line + 5, now);
      if (listener(now, context)) end = 2;
    }
    if (heard) silent = now_ms() + SILENCE_MS;
  }
  if (fd >= 0) close(fd);
  return end == 2 ? -1 : heard;
}

void facepay_watch(const char *socket_path, int timeout_ms, facepay_listener *listener, void *context, const volatile int *stop) {
  facepay_authinfo now;
  long lost = now_ms(), longest = FIRST_PAUSE_MS;
  int told = 0, heard;
  while (!*stop && (heard = stream(socket_path, timeout_ms, listener, context, stop, &now)) >= 0) {
    if (heard) lost = now_ms(), longest = FIRST_PAUSE_MS, told = strcmp(now.code, "AGENT_UNREACHABLE") == 0;
    if (!told && now_ms() - lost >= timeout_ms) { /* a restart of the agent takes a moment: only a longer absence is news */
      told = 1, unreachable(&now);
      if (listener(&now, context)) return;
    }
    for (long left = jitter(longest); left > 0 && !*stop; left -= SLICE_MS) pause_ms(left < SLICE_MS ? left : SLICE_MS);
    if ((longest *= 2) > LONGEST_PAUSE_MS) longest = LONGEST_PAUSE_MS;
  }
}

void facepay_reject(const char *socket_path, int timeout_ms, long generation, const char *return_code, char *result, size_t size) {
  char body[256], request[512], answer[16 * 1024];
  long deadline = now_ms() + timeout_ms;
  if (return_code == NULL || strlen(return_code) > 64 || strpbrk(return_code, "\"\\\r\n\t") != NULL) return_code = "";
  snprintf(body, sizeof body, "{\"generation\":%ld,\"return_code\":\"%s\"}", generation, return_code);
  snprintf(request, sizeof request, "POST /v1/authinfo/reject HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
           "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
  const char *json = whole(ask(socket_path, request, deadline), answer, sizeof answer, deadline);
  if (json == NULL || (!facepay_member(json, "result", result, size) && !facepay_member(json, "code", result, size)))
    snprintf(result, size, "AGENT_UNREACHABLE");
}
