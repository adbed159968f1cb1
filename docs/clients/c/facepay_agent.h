/* The authinfo of facepay-agent for a cashier app. C99 and POSIX; behaviour: docs/specification.md section 13. */
#ifndef FACEPAY_AGENT_H
#define FACEPAY_AGENT_H

#include <stddef.h>

typedef struct {
  int ok;                   /* 1: the authinfo can be used */
  char authinfo[16 * 1024 + 1];
  char state[16];           /* fresh, due, rejected or stale */
  long generation;
  long remaining_s;
  char code[48];            /* when not ok: of the problem, or AGENT_UNREACHABLE */
  char cause[48];           /* of the problem, or why a renewal of a valid authinfo fails; else empty */
  const char *zh, *en;      /* when not ok: what to show the shopper; else empty */
  char json[48 * 1024];     /* the document as it came, for facepay_member() */
} facepay_authinfo;

/* `socket_path` NULL: $FACEPAY_AGENT_SOCKET, else /run/facepay-agent/api.sock. A time-out holds for the whole request; 2000 is usual. */

/* The authinfo now. Returns out->ok. */
int facepay_read(const char *socket_path, int timeout_ms, facepay_authinfo *out);

/* Calls the listener with the state at once and at every change, and reconnects by itself. Returns when the listener returns non-zero or
   *stop becomes non-zero (looked at every 200 ms). Meant for a thread of its own. */
typedef int facepay_listener(const facepay_authinfo *now, void *context);
void facepay_watch(const char *socket_path, int timeout_ms, facepay_listener *listener, void *context, const volatile int *stop);

/* Tells the agent that the SDK refused this generation: result becomes "renewing", "outdated", "limited", or a code.
   return_code: the SDK's, or NULL. */
void facepay_reject(const char *socket_path, int timeout_ms, long generation, const char *return_code, char *result, size_t size);

/* A text or number of a JSON object by its name ("device_id"; of a problem "support_code", to be shown to the shop); 1 when it is there and fits. */
int facepay_member(const char *json, const char *name, char *value, size_t size);

#endif
