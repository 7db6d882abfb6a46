#pragma once

#include <exception>

#include "aegis/http/request.h"
#include "aegis/http/response.h"

namespace aegis::http {

/// What a failed request leaves in the log, at error level.
void log_failure(int status, std::string_view error, const Request& request);

/// A 500 that says nothing of `error`, which is logged.
Response server_failure(std::string_view error, const Request& request);

/// The reply to what a handler or middleware has thrown; faults of ours are logged. When the
/// request was cancelled there is nobody to reply to: throws boost::system::system_error
/// (operation_aborted).
awaitable<Response> reply_to_failure(std::exception_ptr failure, const Request& request);

}  // namespace aegis::http
