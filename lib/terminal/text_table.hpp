// Rows of text in aligned columns, as the commands print lists.
#pragma once

#include <string>
#include <vector>

namespace rb {

/// Columns padded to their widest cell and parted by two spaces; no space at the end of a line;
/// each row ends in a line feed. Widths are in bytes. Rows may differ in length. No rows give "".
/// Each cell is terminal_text().
[[nodiscard]] std::string text_table(std::vector<std::vector<std::string>> rows);

} // namespace rb
