// The words of an enumeration, as they stand in JSON, logs and the API: one table, read both ways.
//
//     // in the header
//     enum class Colour { red, green };
//     [[nodiscard]] std::span<const Word<Colour>> words_of(Colour);
//     // in the source
//     std::span<const Word<Colour>> words_of(Colour) {
//       static constexpr std::array<Word<Colour>, 2> k_words{{{Colour::red, "Red"}, …}};
//       return k_words;
//     }
//
// words_of() is found by the namespace of the enumeration; its argument only chooses the table.
#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <string_view>

namespace rb {

template <typename Enum> struct Word {
  Enum value;
  std::string_view text;
};

/// An enumeration with a table.
template <typename Enum>
concept Worded = requires(Enum value) {
  { words_of(value) } -> std::convertible_to<std::span<const Word<Enum>>>;
};

/// The word of `value`; that of the last row where the table has none.
template <Worded Enum> [[nodiscard]] std::string_view word_of(Enum value) {
  const std::span<const Word<Enum>> words = words_of(value);
  for (const Word<Enum>& word : words) {
    if (word.value == value) {
      return word.text;
    }
  }
  return words.back().text;
}

/// Nothing for a word that is not in the table: of a newer release, or of nobody.
template <Worded Enum> [[nodiscard]] std::optional<Enum> from_word(std::string_view text) {
  for (const Word<Enum>& word : words_of(Enum{})) {
    if (word.text == text) {
      return word.value;
    }
  }
  return std::nullopt;
}

} // namespace rb
