#pragma once

#include <string>
#include <string_view>

namespace aegis::cli {

/// Whether there is somebody to ask.
bool is_interactive();

/// Whether stdout is a terminal that shows colours, and NO_COLOR is not set.
bool has_colours();

/// `text` in bold where stdout is a terminal that shows it, and NO_COLOR is not set.
std::string bold(std::string_view text);

/// Prints "aegis: <what>" and the hint to stderr.
void complain(std::string_view what, std::string_view hint);

/// Thrown where a question is not answered: the input has ended.
struct NoAnswer {};

/// Asks on the terminal; the answer without its blanks, or `usual` for an empty one. Throws
/// NoAnswer.
std::string ask(std::string_view question, std::string_view usual);

/// Asks for yes or no, of which `usual` is the answer to an empty line. Throws NoAnswer.
bool confirm(std::string_view question, bool usual);

}  // namespace aegis::cli
