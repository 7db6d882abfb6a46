// Built with what pkg-config says of the installed library.
#include <aegis/aegis.h>

int main(int argc, char** argv) {
  return aegis::App("installed").run(argc, argv);
}
