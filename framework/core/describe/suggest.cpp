#include "core/describe/suggest.h"

#include <algorithm>
#include <vector>

namespace aegis::detail {
namespace {

char fold(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`
/// (optimal string alignment distance), regardless of ASCII case.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last, last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = fold(a[i - 1]) == fold(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped =
          i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  constexpr std::size_t longest = 40;  // beyond, it is no slip, and the cost is the sender's choice
  if (word.size() > longest) return {};
  std::size_t best = word.size() / 3;  // one slip in three letters
  std::string_view found;
  for (const auto candidate : known) {
    const auto [shorter, longer] = std::minmax({word.size(), candidate.size()});
    if (longer - shorter > best) continue;  // the distance is at least that
    const auto d = distance(word, candidate);
    if (d < best || (d == best && found.empty())) {
      best = d;
      found = candidate;
    }
  }
  if (found.empty()) return {};
  return "; did you mean \"" + std::string{found} + "\"?";
}

}  // namespace aegis::detail
