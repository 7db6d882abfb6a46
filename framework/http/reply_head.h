#pragma once

#include <chrono>
#include <string>

#include "aegis/http/request.h"
#include "aegis/http/response.h"
#include "http/buffer.h"

namespace aegis::http {

/// How the client learns where a reply ends.
enum class Framing : std::uint8_t { none, length, chunked, until_close };

/// RFC 9110: how a reply is framed; `none` for a status that has no body.
Framing framing_of(const Response& response, bool http_1_0);

/// What a reply's head says of the connection.
enum class ConnectionHeader : std::uint8_t { none, close, keep_alive };

/// Appends status line and headers. `date_line` as from date_line(), `request_id` may be empty.
void append_head(Buffer& out, const Response& response, Framing framing,
                 ConnectionHeader connection, std::string_view date_line,
                 std::string_view request_id);

/// "Date: Sat, 21 Nov 2026 11:39:40 GMT\r\n"
std::string date_line(std::chrono::sys_seconds moment);

}  // namespace aegis::http
