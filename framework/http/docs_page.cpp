#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <functional>
#include <memory>

#include "embedded/docs_ui.h"
#include "http/openapi.h"

namespace aegis {
namespace {

using boost::beast::iequals;

/// Swagger UI sets style attributes from its script, which no policy forbids, and has its icons as
/// data: images. Requests go to the service itself only.
constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Something that stays the same for as long as the process runs.
struct Asset {
  std::string_view type;
  std::string_view content;
  std::string_view gzip;  ///< empty: there is none
  std::string digest;
};

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

/// Whether any element of a comma-separated header field is what `is` looks for.
template <class Is>
bool any_of_list(std::string_view list, Is is) {
  while (!list.empty()) {
    const std::string_view element = list.substr(0, list.find(','));
    list.remove_prefix(std::min(element.size() + 1, list.size()));
    if (is(trim(element))) return true;
  }
  return false;
}

/// RFC 9110, section 12.5.3, as far as gzip goes.
bool accepts_gzip(const Request& request) {
  return any_of_list(request.header("Accept-Encoding"), [](std::string_view element) {
    const std::size_t semicolon = std::min(element.find(';'), element.size());
    const std::string_view weight = trim(element.substr(std::min(semicolon + 1, element.size())));
    const bool refused =
        weight.starts_with("q=0") && weight.find_first_not_of("0.", 2) == std::string_view::npos;
    return iequals(trim(element.substr(0, semicolon)), "gzip") && !refused;
  });
}

/// RFC 9110, section 13.1.2.
bool has_already(const Request& request, std::string_view tag) {
  return any_of_list(request.header("If-None-Match"), [&](std::string_view known) {
    if (known.starts_with("W/")) known.remove_prefix(2);
    return known == "*" || known == tag;
  });
}

/// Answers an asset: compressed where the client takes that, not at all where it has it already.
struct Serve {
  std::shared_ptr<const Asset> asset;

  awaitable<Response> operator()(const Request& request) const {
    const bool gzip = !asset->gzip.empty() && accepts_gzip(request);
    const std::string tag = "\"" + asset->digest + (gzip ? "-gzip\"" : "\"");
    Response reply(304);
    if (!has_already(request, tag)) {
      reply.set_status(200).set_body(std::string(gzip ? asset->gzip : asset->content), asset->type);
      reply.set_header("Content-Security-Policy", std::string(content_security_policy));
      reply.set_header("X-Content-Type-Options", "nosniff");
      if (gzip) reply.set_header("Content-Encoding", "gzip");
    }
    reply.set_header("ETag", tag);
    reply.set_header("Cache-Control", "no-cache");  // kept, and asked for again each time
    if (!asset->gzip.empty()) reply.set_header("Vary", "Accept-Encoding");
    co_return reply;
  }
};

std::string_view type_of_file(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  return "text/plain; charset=utf-8";
}

/// A document made at the start, together with what holds its text.
struct Document {
  explicit Document(std::string content) : text(std::move(content)) {
    asset = {"application/json", text, {}, std::to_string(std::hash<std::string>{}(text))};
  }
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  std::string text;
  Asset asset;
};

}  // namespace

void add_docs_routes(Router& router, std::string_view title, std::string_view version,
                     std::string_view description) {
  const auto document =
      std::make_shared<const Document>(openapi(title, version, router, description));
  router.get("/openapi.json", Serve{{document, &document->asset}}).hide();

  for (const EmbeddedFile& file : embedded::docs_ui()) {
    const auto asset = std::make_shared<const Asset>(
        Asset{type_of_file(file.name), file.content, file.gzip, std::string(file.digest)});
    const bool is_page = file.name == "index.html";
    router.get(is_page ? "/docs" : "/docs/" + std::string(file.name), Serve{asset}).hide();
  }
}

}  // namespace aegis
