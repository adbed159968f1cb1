/*
 * A replacement for the vendor's face SDK with the same C interface (the published header of the SDK), for people who build or test a
 * bridge:
 *
 *   cc -shared -fPIC -O2 -fvisibility=hidden -o libwxpayface.so simulated-sdk.c
 *
 * It answers initWxpayface, getWxpayfaceRawdata and getSdkInfo, and misbehaves when told to: for one request by a member
 * "simulate" of that request, for all of them by lines "<command or *> <behaviour>" of the file that the environment variable
 * FACEPAY_SIMULATED_SDK names, which is read at every call.
 *
 *   delay MS        answers after MS milliseconds        hang, spin    never returns, idle or busy
 *   crash, abort    ends the process by a signal         exit N        ends it with an exit status
 *   status N        returns N without an answer          null          returns 0 without an answer
 *   empty           an answer of no octets               text          an answer that is no JSON
 *   garbage         an answer that is no UTF-8           huge N        a JSON answer of N octets
 *   lie N           claims N octets for its answer       nul           counts the final NUL as part of the answer
 *   uninitialised   err_code 271378620                   initialising  err_code 271378621
 *   no-network      "ip address is null"                 answer FILE   what the file holds
 *   print           prints its answer too                helper        starts a process, then never returns
 *   leak N          loses N KiB, then answers            scribble      writes to descriptors 1 to 3, then answers
 *
 * Already while it is loaded it obeys "load <hang or crash>" in that file.
 *
 * Two commands of its own: simulatedEcho answers with the request as it came, simulatedSdk with its counters.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define ANSWER_ROOM (1 << 20)

static atomic_int inside;     /* calls under way: two at once are an overlap */
static atomic_long calls, outstanding, overlaps;
static int initialised;

/* The text value of a member, found by its quoted name: good enough for requests that are flat. */
static int text_of(const char *json, const char *name, char *out, size_t room) {
  char quoted[64];
  snprintf(quoted, sizeof quoted, "\"%s\"", name);
  const char *at = strstr(json, quoted);
  if (at == NULL) return 0;
  at += strlen(quoted);
  at += strspn(at, " \t\r\n");
  if (*at++ != ':') return 0;
  at += strspn(at, " \t\r\n");
  if (*at++ != '"') return 0;
  size_t n = 0;
  while (*at != '"' && *at != '\0' && n + 1 < room) out[n++] = *at++;
  out[n] = '\0';
  return 1;
}

/* What the control file says about this command, "" for nothing. */
static void told(const char *cmd, char *out, size_t room) {
  out[0] = '\0';
  const char *file = getenv("FACEPAY_SIMULATED_SDK");
  FILE *lines = file == NULL ? NULL : fopen(file, "re");
  if (lines == NULL) return;
  char line[512];
  while (fgets(line, sizeof line, lines) != NULL) {
    line[strcspn(line, "\r\n")] = '\0';
    char *blank = strchr(line, ' ');
    if (blank == NULL) continue;
    *blank = '\0';
    if (strcmp(line, "*") == 0 || strcmp(line, cmd) == 0) snprintf(out, room, "%s", blank + 1);
  }
  fclose(lines);
}

static void pass_ms(long ms) {
  struct timespec time = {ms / 1000, (ms % 1000) * 1000000L};
  while (nanosleep(&time, &time) != 0) continue;
}

static int give(const char *octets, size_t length, char **answer, unsigned *size) {
  char *copy = malloc(length + 1);
  if (copy == NULL) return -1;
  memcpy(copy, octets, length);
  copy[length] = '\0';
  *answer = copy;
  *size = (unsigned)length;
  atomic_fetch_add(&outstanding, 1);
  return 0;
}

static int say(const char *text, char **answer, unsigned *size) { return give(text, strlen(text), answer, size); }

static int refuse(const char *code, const char *text, long err, char **answer, unsigned *size) {
  char buffer[256];
  if (err == 0) snprintf(buffer, sizeof buffer, "{\"return_code\":\"%s\",\"return_msg\":\"%s\"}", code, text);
  else snprintf(buffer, sizeof buffer, "{\"return_code\":\"%s\",\"return_msg\":\"%s\",\"err_code\":%ld}", code, text, err);
  return say(buffer, answer, size);
}

/* 503 octets as measured on terminals. The first three make "+//+", which a form encoding would spoil. */
static int rawdata(char **answer, unsigned *size) {
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  unsigned char raw[504] = {0};
  char buffer[800];
  if (getrandom(raw, 503, 0) != 503) return -1;
  memcpy(raw, "\xfb\xff\xfe", 3);
  size_t n = (size_t)snprintf(buffer, sizeof buffer, "{\"return_code\":\"SUCCESS\",\"return_msg\":\"\",\"rawdata\":\"");
  for (size_t at = 0; at < 503; at += 3) {
    unsigned group = (unsigned)raw[at] << 16 | (unsigned)raw[at + 1] << 8 | raw[at + 2];
    for (int shift = 18; shift >= 0; shift -= 6) buffer[n++] = alphabet[group >> shift & 63];
  }
  buffer[n - 1] = '='; /* 503 octets leave one place of the last group unused */
  memcpy(buffer + n, "\"}", 2);
  return give(buffer, n + 2, answer, size);
}

static int file_answer(const char *file, char **answer, unsigned *size) {
  static char buffer[ANSWER_ROOM];
  FILE *from = fopen(file, "re");
  if (from == NULL) return -1;
  size_t length = fread(buffer, 1, sizeof buffer, from);
  fclose(from);
  return give(buffer, length, answer, size);
}

static int huge_answer(long wanted, char **answer, unsigned *size) {
  static const char head[] = "{\"return_code\":\"SUCCESS\",\"return_msg\":\"", tail[] = "\"}";
  size_t fixed = sizeof head + sizeof tail - 2;
  size_t length = wanted < (long)fixed ? fixed : (size_t)wanted;
  char *buffer = malloc(length);
  if (buffer == NULL) return -1;
  memset(buffer, 'x', length);
  memcpy(buffer, head, sizeof head - 1);
  memcpy(buffer + length - (sizeof tail - 1), tail, sizeof tail - 1);
  int status = give(buffer, length, answer, size);
  free(buffer);
  return status;
}

static void scribble(void) {
  /* Noise, and a frame that is whole: of "hello", with its check sequence. */
  static const char words[] = "wxface: debug \x7e\x7d{}\x7e" "hello" "\x86\xa6\x10\x36\x7e";
  for (int fd = 1; fd <= 3; fd++) {
    int flags = fcntl(fd, F_GETFL);
    if (flags != -1 && (flags & O_ACCMODE) != O_RDONLY && write(fd, words, sizeof words - 1) < 0) continue;
  }
}

static int answer_of(const char *cmd, const char *request, size_t length, char **answer, unsigned *size) {
  char buffer[512];
  if (strcmp(cmd, "simulatedEcho") == 0) {
    char *echo = malloc(length + 64);
    if (echo == NULL) return -1;
    int n = sprintf(echo, "{\"return_code\":\"SUCCESS\",\"request\":");
    memcpy(echo + n, request, length);
    echo[(size_t)n + length] = '}';
    int status = give(echo, (size_t)n + length + 1, answer, size);
    free(echo);
    return status;
  }
  if (strcmp(cmd, "simulatedSdk") == 0) {
    snprintf(buffer, sizeof buffer,
             "{\"return_code\":\"SUCCESS\",\"return_msg\":\"\",\"calls\":%ld,\"outstanding\":%ld,\"overlaps\":%ld}",
             (long)calls, (long)outstanding, (long)overlaps);
    return say(buffer, answer, size);
  }
  if (cmd[0] == '\0') return refuse("PARAM_ERROR", "cmd不能为空", 0, answer, size);
  if (strcmp(cmd, "initWxpayface") == 0) {
    char version[8];
    if (!text_of(request, "version", version, sizeof version) || strcmp(version, "1") != 0 || strstr(request, "\"now\"") == NULL)
      return refuse("PARAM_ERROR", "version或now错误", 0, answer, size);
    initialised = 1;
    return refuse("SUCCESS", "", 0, answer, size);
  }
  if (!initialised) return refuse("FAIL", "刷脸服务未初始化", 271378620, answer, size);
  if (strcmp(cmd, "getWxpayfaceRawdata") == 0) return rawdata(answer, size);
  if (strcmp(cmd, "releaseWxpayface") == 0) initialised = 0;
  if (strcmp(cmd, "getSdkInfo") == 0) {
    snprintf(buffer, sizeof buffer,
             "{\"return_code\":\"SUCCESS\",\"return_msg\":\"\",\"sdk_version\":\"2.32.300\",\"last_update_data_time\":\"%ld\"}",
             (long)time(NULL));
    return say(buffer, answer, size);
  }
  return refuse("SUCCESS", "", 0, answer, size);
}

__attribute__((constructor)) static void load(void) {
  char how[400];
  told("load", how, sizeof how);
  if (strcmp(how, "crash") == 0) raise(SIGSEGV);
  if (strcmp(how, "hang") == 0) for (;;) pause();
}

static int act(const char *request, size_t length, char **answer, unsigned *size) {
  char cmd[64] = "", how[400] = "";
  text_of(request, "cmd", cmd, sizeof cmd);
  if (!text_of(request, "simulate", how, sizeof how)) told(cmd, how, sizeof how);
  char *blank = strchr(how, ' ');
  const char *more = blank == NULL ? "" : blank + 1;
  if (blank != NULL) *blank = '\0';
  long number = strtol(more, NULL, 10);
#define IS(name) (strcmp(how, name) == 0)
  if (IS("helper") && fork() < 0) return -1; /* both halves of it hang */
  if (IS("hang") || IS("helper")) for (;;) pause();
  if (IS("spin")) for (;;) atomic_fetch_add(&calls, 0);
  if (IS("crash")) raise(SIGSEGV);
  if (IS("abort")) abort();
  if (IS("exit")) _exit((int)number);
  if (IS("status")) return (int)number;
  if (IS("null")) return 0;
  if (IS("empty")) return give("", 0, answer, size);
  if (IS("text")) return say("OK", answer, size);
  if (IS("garbage")) return say("{\"return_code\":\"\xb3\xc9\xb9\xa6\"}", answer, size);
  if (IS("huge")) return huge_answer(number, answer, size);
  if (IS("uninitialised")) return refuse("FAIL", "刷脸服务未初始化", 271378620, answer, size);
  if (IS("initialising")) return refuse("FAIL", "刷脸服务初始化中", 271378621, answer, size);
  if (IS("no-network")) return refuse("ERROR", "ip address is null", 0, answer, size);
  if (IS("answer")) return file_answer(more, answer, size);
  if (IS("delay")) pass_ms(number);
  if (IS("scribble")) scribble();
  if (IS("leak")) {
    char *lost = malloc((size_t)number * 1024);
    if (lost != NULL) memset(lost, 1, (size_t)number * 1024);
  }
  int status = answer_of(cmd, request, length, answer, size);
  if (status == 0 && IS("print")) {
    printf("wxface: %s\n", *answer);
    fflush(stdout);
    fprintf(stderr, "wxface: %s\n", *answer);
  }
  if (status == 0 && IS("nul")) ++*size;
  if (status == 0 && IS("lie")) *size = (unsigned)strtoul(more, NULL, 10);
  return status;
}

EXPORT int wxpayCallFaceService(const char *reqBuf, unsigned reqSize, char **pRespBuf, unsigned *pRespSize) {
  if (atomic_fetch_add(&inside, 1) > 0) atomic_fetch_add(&overlaps, 1);
  atomic_fetch_add(&calls, 1);
  int status;
  char *request = malloc((size_t)reqSize + 1);
  if (request == NULL) status = -1;
  else {
    /* Only what reqSize covers counts: a caller that counts characters instead of octets cuts its own request short. */
    memcpy(request, reqBuf, reqSize);
    request[reqSize] = '\0';
    size_t last = reqSize;
    while (last > 0 && strchr(" \t\r\n", request[last - 1]) != NULL) last--;
    if (request[0] != '{' || last == 0 || request[last - 1] != '}')
      status = refuse("PARAM_ERROR", "请求不是JSON", 0, pRespBuf, pRespSize);
    else status = act(request, reqSize, pRespBuf, pRespSize);
    free(request);
  }
  atomic_fetch_sub(&inside, 1);
  return status;
}

EXPORT void wxpayReleaseResponse(char **pRespBuf) {
  if (pRespBuf == NULL || *pRespBuf == NULL) return;
  free(*pRespBuf);
  *pRespBuf = NULL;
  atomic_fetch_sub(&outstanding, 1);
}
