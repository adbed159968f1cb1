/* cc -O2 -o authinfo -I docs/clients/c authinfo.c docs/clients/c/facepay_agent.c && ./authinfo [SOCKET] */
#include "facepay_agent.h"
#include <stdio.h>

int main(int argc, char **argv) {
  static facepay_authinfo now;
  if (!facepay_read(argc > 1 ? argv[1] : NULL, 2000, &now)) return puts(now.zh), 1;
  printf("%s, generation %ld, %ld s left\n", now.state, now.generation, now.remaining_s);
  return 0;
}
