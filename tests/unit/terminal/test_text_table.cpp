#include "terminal/text_table.hpp"

#include <doctest/doctest.h>

TEST_CASE("text_table aligns columns and leaves no space at the end of a line") {
  CHECK(rb::text_table({{"A", "LONG", "C"}, {"abc", "x", ""}}) == "A    LONG  C\nabc  x\n");
  CHECK(rb::text_table({{"a"}, {"bb", "c"}}) == "a\nbb  c\n");
  CHECK(rb::text_table({}).empty());
}
