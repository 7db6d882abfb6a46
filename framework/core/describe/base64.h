#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "aegis/core/type.h"

namespace aegis::detail {

/// RFC 4648, section 4: the standard alphabet, padded.
std::string encode_base64(std::span<const std::byte> bytes);

/// Nothing unless `text` is just what encode_base64 writes for some bytes.
std::optional<Bytes> decode_base64(std::string_view text);

}  // namespace aegis::detail
