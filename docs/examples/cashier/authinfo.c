/* cc -O2 -o authinfo -I docs/clients/c docs/examples/cashier/authinfo.c docs/clients/c/facepay_agent.c && ./authinfo [SOCKET] */
#include "facepay_agent.h"
#include <stdio.h>

int main(int argc, char **argv) {
  static facepay_authinfo now;
  char code[16];
  if (!facepay_read(argc > 1 ? argv[1] : NULL, 2000, &now)) {
    puts(now.zh);
    if (facepay_member(now.json, "support_code", code, sizeof code)) printf("支持代码 %s\n", code);
    return 1;
  }
  printf("%s, generation %ld, %ld s left\n", now.state, now.generation, now.remaining_s);
  return 0;
}
