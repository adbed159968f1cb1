/* cc -O2 -Wall -o authinfo authinfo.c && ./authinfo [SOCKET] */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* The whole answer as text; 1, or 0 when there is no socket, no permission, or no answer in time. */
static int ask(const char *path, char *answer, size_t size) {
  static const char request[] = "GET /v1/authinfo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct timeval limit = {.tv_sec = 2};
  size_t length = 0;
  ssize_t n = -1;
  int fd;
  if (strlen(path) >= sizeof address.sun_path) return 0;
  strcpy(address.sun_path, path);
  if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) < 0) return 0;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit); /* for connect() too */
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
      send(fd, request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)sizeof request - 1)
    while (length < size - 1 && (n = recv(fd, answer + length, size - 1 - length, 0)) > 0) length += (size_t)n;
  close(fd);
  answer[length] = '\0';
  return n == 0 && length > 0; /* 0: the agent has sent all and closed */
}

/* The first text member of that name; 1 when it is there and fits. */
static int member(const char *json, const char *name, char *value, size_t size) {
  char key[32];
  size_t length = 0;
  snprintf(key, sizeof key, "\"%s\":\"", name);
  const char *at = strstr(json, key);
  if (at == NULL) return 0;
  for (at += strlen(key); *at != '"' && *at != '\0' && length < size - 1; at++) {
    if (*at == '\\' && at[1] != '\0') at++; /* an authinfo is printable ASCII: only \" and \\ occur */
    value[length++] = *at;
  }
  value[length] = '\0';
  return *at == '"';
}

int main(int argc, char **argv) {
  static char answer[64 * 1024], authinfo[16 * 1024 + 1];
  char code[64] = "";
  if (ask(argc > 1 ? argv[1] : "/run/facepay-agent/api.sock", answer, sizeof answer)) {
    if (strncmp(answer, "HTTP/1.1 200 ", 13) == 0 && member(answer, "authinfo", authinfo, sizeof authinfo)) {
      printf("authinfo of %zu characters\n", strlen(authinfo));
      return 0;
    }
    member(answer, "code", code, sizeof code);
  }
  puts(strcmp(code, "AUTHINFO_ABSENT") == 0    ? "刷脸支付准备中，请稍候或扫码支付"
       : strcmp(code, "AUTHINFO_EXPIRED") == 0 ? "暂时不能刷脸支付，请扫码支付"
       : strcmp(code, "UNPROVISIONED") == 0    ? "本机尚未开通刷脸支付，请扫码支付"
                                               : "刷脸支付暂不可用，请扫码支付");
  return 1;
}
