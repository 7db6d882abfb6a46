#pragma once

#include <string_view>
#include <vector>

namespace aegis::db {

/// Whether SQL that a user wrote changes something, as far as its words tell: it does, unless it
/// begins with SELECT, VALUES, WITH, EXPLAIN or PRAGMA and has no word that writes (INSERT, UPDATE,
/// DELETE, MERGE, INTO; for PRAGMA "="). When in doubt it writes: that costs a little speed, while
/// the opposite mistake is refused by the database. Text in quotes and comments does not count.
///
/// Throws Error(internal) when there is no statement, more than one, or one that begins or ends a
/// transaction: those are the session's.
bool writes(std::string_view sql);

/// Throws Error(internal) for SQL that changes its connection for the sessions after this one: SET
/// without LOCAL, RESET, LISTEN.
void refuse_settings(std::string_view sql);

/// The statements of a script, without the semicolons that end them and without what is between
/// them. The semicolons in a trigger's or a function's body (BEGIN … END) are theirs.
std::vector<std::string_view> split_statements(std::string_view sql);

}  // namespace aegis::db
