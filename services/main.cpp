#include "application.h"

int main(int argc, char** argv) {
  aegis::App app{"shields"};  // [name]
  configure(app);
  return app.run(argc, argv);
}
