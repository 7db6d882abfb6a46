// Any bytes as an HTTP request, at once and in pieces: what Beast's own parser makes of them, but
// for what we refuse on top. The first byte says how long the pieces are.
#include <cstdio>
#include <cstdlib>

#include "../framework/http/parser_check.h"

namespace {

void check(const std::string& wrong) {
  if (wrong.empty()) return;
  std::fprintf(stderr, "%s\n", wrong.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  check(aegis::test::disagreement(bytes));
  std::vector<std::size_t> cuts;
  for (std::size_t cut = 1 + data[0]; cut < bytes.size(); cut += 1 + data[0]) cuts.push_back(cut);
  check(aegis::test::disagreement(bytes, cuts));
  return 0;
}
