#include "http/uri.h"

#include <algorithm>
#include <boost/url/encode.hpp>
#include <boost/url/pct_string_view.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include "core/describe/utf8.h"

namespace aegis::http {

namespace urls = boost::urls;

std::optional<std::string_view> percent_decode(std::string_view text, Plus plus,
                                               std::string& buffer) {
  const bool spaces = plus == Plus::space;
  const auto is_encoded = [&](char c) { return c == '%' || (spaces && c == '+'); };
  if (std::any_of(text.begin(), text.end(), is_encoded)) {
    const auto encoded = urls::make_pct_string_view(text);
    if (!encoded) return std::nullopt;
    buffer = encoded->decode(urls::encoding_opts(spaces));
    text = buffer;
  }
  const auto byte_outside = [](char c) {
    return c == '\0' || static_cast<unsigned char>(c) >= 0x80;
  };
  if (std::any_of(text.begin(), text.end(), byte_outside)) {
    if (text.find('\0') != std::string_view::npos || !detail::inspect_utf8(text).valid) {
      return std::nullopt;
    }
  }
  return text;
}

std::string percent_encode(std::string_view text) {
  return urls::encode(text, urls::unreserved_chars);
}

std::string read_query(std::string_view query,
                       FunctionRef<void(std::string_view, std::string_view)> take) {
  std::string name_buffer, value_buffer;
  for (std::size_t count = 0; !query.empty();) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    if (++count > max_query_parameters) {
      return "The query has more than " + std::to_string(max_query_parameters) + " parameters.";
    }
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = percent_decode(pair.substr(0, equals), Plus::space, name_buffer);
    const auto value =
        percent_decode(pair.substr(std::min(equals + 1, pair.size())), Plus::space, value_buffer);
    if (!name || !value) {
      return "The query is badly encoded: it takes %XX, + for a space, and UTF-8.";
    }
    take(*name, *value);
  }
  return {};
}

}  // namespace aegis::http
