/* drive SOCKET TIMEOUT_MS; commands on stdin, one line of output for each answer: see conformance.ts */
#include "facepay_agent.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *path;
static int timeout;
static const int never = 0;

static int say(const facepay_authinfo *now, void *what) {
  const char *cause = now->cause[0] == '\0' ? "-" : now->cause;
  if (now->ok) printf("%s ok %s %ld %s\n", (char *)what, now->state, now->generation, cause);
  else printf("%s %s %s %s|%s\n", (char *)what, now->code, cause, now->zh, now->en);
  return fflush(stdout), 0;
}

static void *watch(void *unused) {
  facepay_watch(path, timeout, say, "watch", &never);
  return unused;
}

int main(int argc, char **argv) {
  static facepay_authinfo now;
  char line[64], result[64];
  pthread_t thread;
  if (argc != 3) return 64;
  path = argv[1], timeout = atoi(argv[2]);
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (strncmp(line, "read", 4) == 0) facepay_read(path, timeout, &now), say(&now, "read");
    if (strncmp(line, "watch", 5) == 0 && pthread_create(&thread, NULL, watch, NULL) != 0) return 1;
    if (strncmp(line, "reject ", 7) == 0) {
      facepay_reject(path, timeout, atol(line + 7), "PARAM_ERROR", result, sizeof result);
      printf("reject %s\n", result);
      fflush(stdout);
    }
  }
  return 0;
}
