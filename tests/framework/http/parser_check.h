#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "http/parser.h"

/// Holds our parser against Beast's own request_parser.
namespace aegis::test {

/// What a parser made of some bytes.
struct Verdict {
  enum class Kind { incomplete, complete, refused } kind = Kind::incomplete;
  int status = 0;  ///< of a refusal by us
  std::string detail{};
  std::string method{}, target{}, body{};
  std::vector<std::pair<std::string, std::string>> fields{};
  bool keep_alive = false;
  std::size_t size = 0;  ///< what a complete request takes of the bytes

  bool operator==(const Verdict&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Verdict& verdict) {
  static constexpr const char* kinds[] = {"incomplete", "complete", "refused"};
  out << kinds[static_cast<int>(verdict.kind)] << ' ' << verdict.status << ' ' << verdict.detail
      << ' ' << verdict.method << ' ' << verdict.target << " keep_alive=" << verdict.keep_alive
      << " size=" << verdict.size << " body=" << verdict.body;
  for (const auto& [name, value] : verdict.fields) out << " [" << name << "][" << value << ']';
  return out;
}

inline constexpr http::RequestLimits generous{64 * 1024, 64 * 1024};

/// Gives `bytes` to our parser in pieces that end at `cuts` (rising).
inline Verdict ours(std::string_view bytes, std::span<const std::size_t> cuts = {},
                    const http::RequestLimits& limits = generous) {
  using State = http::RequestParser::State;
  Request request;
  request.method = Method::other;
  http::Buffer input{8 * 1024};
  std::optional<http::RequestParser> parser;
  parser.emplace(request, limits);
  Verdict verdict;
  std::size_t given = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t end = i < cuts.size() ? cuts[i] : bytes.size();
    while (given < end) {
      const auto room = input.room();
      const std::size_t count = std::min(room.size(), end - given);
      std::copy_n(bytes.data() + given, count, room.data());
      input.commit(count);
      given += count;
    }
    if (input.empty()) continue;
    const State state = parser->parse(input);
    if (state == State::refused) {
      verdict.kind = Verdict::Kind::refused;
      verdict.status = parser->refusal().status;
      verdict.detail = parser->refusal().detail;
      return verdict;
    }
    if (state != State::complete) continue;
    verdict.kind = Verdict::Kind::complete;
    verdict.method = to_string(request.method);
    verdict.target = request.target;
    verdict.body = request.body;
    for (const auto& [name, value] : request.headers) verdict.fields.emplace_back(name, value);
    verdict.keep_alive = parser->keep_alive();
    // What is behind the request is still there, at the end of the input.
    const std::size_t behind = input.size() - parser->size();
    verdict.size = given - behind;
    return verdict;
  }
  return verdict;
}

inline Verdict beasts(std::string_view bytes) {
  namespace beast = boost::beast;
  beast::http::request_parser<beast::http::string_body> parser;
  parser.header_limit(std::numeric_limits<std::uint32_t>::max());
  parser.body_limit(generous.body_bytes);
  Verdict verdict;
  bool has_header = false;
  while (!parser.is_done() && verdict.size < bytes.size()) {
    beast::error_code error;
    verdict.size += parser.put(boost::asio::buffer(bytes.substr(verdict.size)), error);
    if (error == beast::http::error::need_more) return {};
    if (error) return {.kind = Verdict::Kind::refused};
    if (has_header || !parser.is_header_done()) continue;
    has_header = true;  // later the trailer's fields are among them
    for (const auto& field : parser.get()) {
      verdict.fields.emplace_back(field.name_string(), field.value());
    }
  }
  if (!parser.is_done()) return {};
  verdict.kind = Verdict::Kind::complete;
  verdict.method = std::string(parser.get().method_string());
  verdict.target = std::string(parser.get().target());
  verdict.body = parser.get().body();
  verdict.keep_alive = parser.keep_alive();
  return verdict;
}

/// Puts fields of the same name together, as Beast's container does.
inline Verdict grouped(Verdict verdict) {
  std::multimap<std::string, std::pair<std::string, std::string>, boost::beast::iless> groups;
  for (auto& field : verdict.fields) groups.emplace(field.first, field);
  verdict.fields.clear();
  for (auto& [name, field] : groups) verdict.fields.push_back(std::move(field));
  return verdict;
}

/// Whether we may refuse what Beast accepts, or does not know yet what to do with.
inline bool is_stricter(const Verdict& verdict) {
  static constexpr std::string_view reasons[] = {
      "The method is not implemented.",
      "The request target is malformed.",
      "The request target is too long.",
      "The request line is too long.",
      "The request line is malformed.",  // Beast waits for the rest of a short one
      "The header is too long.",
      "A header field is folded over lines.",
      "The Host field is malformed.",
      "The Host field is missing.",
      "There is more than one Host field.",
      "The only Transfer-Encoding implemented is chunked.",
      "HTTP/1.0 has no Transfer-Encoding.",
      "The only expectation that can be met is 100-continue.",
      "A chunk's header or the trailer is too long.",
      "A chunk of the body is malformed.",  // a control character in its extension
  };
  for (const std::string_view reason : reasons) {
    if (verdict.detail == reason) return true;
  }
  return false;
}

/// What is wrong with our verdict on `bytes`; empty if nothing is.
inline std::string disagreement(std::string_view bytes) {
  const Verdict mine = grouped(ours(bytes));
  const Verdict reference = grouped(beasts(bytes));
  bool agree = mine == reference;
  if (mine.kind == Verdict::Kind::refused) {
    agree = reference.kind == mine.kind || is_stricter(mine);
  } else if (bytes.find('\n') == std::string_view::npos) {
    agree = true;  // ours waits for the whole request line
  }
  if (agree) return {};
  std::ostringstream out;
  out << "ours: " << mine << "\nBeast's: " << reference;
  return out.str();
}

/// The same for the bytes in pieces, against the bytes at once. Beast looks at an incomplete header
/// again only when an empty line has come, so that a fault may be found later: never not at all.
inline std::string disagreement(std::string_view bytes, std::span<const std::size_t> cuts) {
  const Verdict whole = ours(bytes);
  const Verdict pieces = ours(bytes, cuts);
  if (pieces == whole) return {};
  if (whole.kind == Verdict::Kind::refused && pieces.kind != Verdict::Kind::complete) {
    const bool has_empty_line = bytes.find("\r\n\r\n") != std::string_view::npos;
    if (pieces.kind == Verdict::Kind::refused || !has_empty_line) return {};
  }
  std::ostringstream out;
  out << "at once: " << whole << "\nin pieces: " << pieces;
  return out.str();
}

}  // namespace aegis::test
