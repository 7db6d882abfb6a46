#pragma once

#include <string>
#include <string_view>

#include "aegis/http/router.h"

namespace aegis {

/// The OpenAPI 3.1 document of the routes that are not hidden, as indented JSON. The same routes
/// give the same text.
std::string openapi(std::string_view title, std::string_view version, const Router& router,
                    std::string_view description = "");

/// Adds /openapi.json and /docs, the page that shows it and sends requests. Call it last: the
/// document has the routes that are there by then.
void add_docs_routes(Router& router, std::string_view title, std::string_view version,
                     std::string_view description = "");

}  // namespace aegis
