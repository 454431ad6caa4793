// JSON: reading a text, and a type both ways from one list of fields. A type says once which fields
// it has, and is read and written by that list:
//
//     void fields(JsonFields& json, Progress& progress) {       // in the namespace of Progress
//       json.required("step", progress.step);
//       json.always("bytesDone", progress.bytes_done);
//       json.optional("note", progress.note);
//     }
//     Result<Progress> read = from_json_fields<Progress>(json);
//     nlohmann::ordered_json written = to_json_fields(progress);
//
// Fields may be of bool, integers, std::string, SystemTime (RFC 3339), enumerations with words
// (base/words.hpp), types with a list of their own, and std::optional, std::vector, std::set and
// std::map<std::string, …> of these.
//
// Reading is tolerant of newer releases and strict with everything else. A key that the list does
// not name is passed over; null is as good as absent; an element of a list that has a word nobody
// knows in a required field is passed over, and in any other field the word is. What has another
// type, an integer that does not fit, or a required key that is not there makes it `corrupt`, with
// the path of the field in the message. Nothing throws, and no value is ever quoted. The integers
// of nlohmann are not used: they take 1e300 and wrap what is too large.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/words.hpp"

#include <nlohmann/json.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace rb {

/// The document that `text` is; a discarded value (is_discarded()) where it is not one JSON value
/// in UTF-8 and nothing else. Never throws but for memory.
[[nodiscard]] nlohmann::json json_of(std::string_view text);

/// Whether the value of a key is kept; the keys of the document itself have the depth 1, and a list
/// counts as one more.
using JsonKeep = std::function<bool(int depth, std::string_view key)>;

/// The same, without what is not kept: that takes no memory while the text is read.
[[nodiscard]] nlohmann::json json_of(std::string_view text, const JsonKeep& keep);

/// Nothing where `value` is no integer in the range of `Number`.
template <std::integral Number>
[[nodiscard]] std::optional<Number> json_integer_of(const nlohmann::json& value) {
  if (value.is_number_unsigned() && std::in_range<Number>(value.get<std::uint64_t>())) {
    return static_cast<Number>(value.get<std::uint64_t>());
  }
  if (value.is_number_integer() && !value.is_number_unsigned() &&
      std::in_range<Number>(value.get<std::int64_t>())) {
    return static_cast<Number>(value.get<std::int64_t>());
  }
  return std::nullopt;
}

/// The same for code that catches. Throws nlohmann::json::exception.
template <std::integral Number> [[nodiscard]] Number json_integer(const nlohmann::json& value) {
  if (const auto number = json_integer_of<Number>(value)) {
    return *number;
  }
  throw nlohmann::json::out_of_range::create(406, "not an integer that fits", &value);
}

/// Of a key that may be absent. Throws as json_integer does, and where `object` is no object.
template <std::integral Number>
[[nodiscard]] Number json_integer_or(const nlohmann::json& object, const char* key, Number absent) {
  if (!object.is_object()) {
    throw nlohmann::json::type_error::create(306, "not an object", &object);
  }
  const auto found = object.find(key);
  return found == object.end() ? absent : json_integer<Number>(*found);
}

/// One pass over a value, reading or writing. Used by one thread.
class JsonFields {
public:
  /// Reads. `source` must outlive it.
  explicit JsonFields(const nlohmann::json& source) : m_source{&source} {}
  /// Writes to `target`, which becomes an object and must outlive this.
  explicit JsonFields(nlohmann::ordered_json& target);

  /// A list of fields may have rules that hold for one way only. What it writes is a copy, which
  /// it may change first (cut a message to its limit).
  [[nodiscard]] bool reading() const { return !m_source.empty(); }

  /// Must be there when it is read.
  template <typename T> void required(std::string_view key, T& value) {
    if (enter(key, /*must=*/true)) {
      m_required = true;
      take(value);
      leave();
    }
  }

  /// Is always written. Where it is absent, the value stays what it was.
  template <typename T> void always(std::string_view key, T& value) {
    if (enter(key, /*must=*/false)) {
      m_required = false;
      take(value);
      leave();
    }
  }

  /// Is left out where it is `absent` (0, false, empty, nothing, or what the reader takes it for).
  template <typename T>
  void optional(std::string_view key, T& value, const std::type_identity_t<T>& absent = T{}) {
    if (reading() || !(value == absent)) {
      always(key, value);
    }
  }
  template <typename T> void optional(std::string_view key, std::optional<T>& value) {
    if (reading() || value) {
      always(key, value);
    }
  }
  template <typename T> void optional(std::string_view key, std::vector<T>& values) {
    if (reading() || !values.empty()) {
      always(key, values);
    }
  }

  /// An object that is no type of ours: `describe(json)` lists its fields. Is left out where it
  /// would be empty.
  template <typename Describe> void object(std::string_view key, Describe describe) {
    if (enter(key, /*must=*/false)) {
      describe(*this);
      leave();
      leave_out_if_empty(key);
    }
  }

  /// A list of words; those that nobody knows are added to `unknown`.
  template <Worded Enum>
  void words(std::string_view key, std::vector<Enum>& values, std::vector<std::string>& unknown) {
    std::vector<std::string> texts;
    for (const Enum value : values) {
      texts.emplace_back(word_of(value));
    }
    bool there = !reading();
    if (enter(key, /*must=*/false)) {
      there = true;
      take(texts);
      leave();
    }
    if (reading() && there) {
      values.clear();
      for (std::string& text : texts) {
        if (const auto value = from_word<Enum>(text)) {
          values.push_back(*value);
        } else {
          unknown.push_back(std::move(text));
        }
      }
    }
  }

  /// A field with a reader and a writer of its own: `read(json)` gives a Result that is assigned to
  /// `value`, `write(value)` what nlohmann::ordered_json can be made of. Must be there when `must`.
  template <typename T, typename Read, typename Write>
  void custom(std::string_view key, bool must, T& value, Read read, Write write) {
    if (!enter(key, must)) {
      return;
    }
    if (!reading()) {
      *m_target.back() = write(value);
    } else if (auto got = read(*m_source.back())) {
      value = *std::move(got);
    } else {
      fail(std::move(got).error());
    }
    leave();
  }

  /// A list. An element that cannot be read is passed over, whatever is wrong with it.
  template <typename T> void readable(std::string_view key, std::vector<T>& values) {
    if (enter(key, /*must=*/false)) {
      list(values, /*pass_over=*/true);
      leave();
    }
  }

  /// Breaks off with an error of the caller's (a rule across fields). The first one counts.
  void fail(Error error);

  /// Whether all fields could be read. Errors: corrupt, unsupported (a required word that nobody
  /// knows), those given to fail().
  [[nodiscard]] Status result() const { return m_error ? Status(*m_error) : Status(); }

private:
  template <typename T> void take(T& value) {
    if constexpr (std::same_as<T, bool> || std::same_as<T, std::string> ||
                  std::same_as<T, SystemTime>) {
      scalar(value);
    } else if constexpr (std::signed_integral<T>) {
      auto wide = static_cast<std::int64_t>(value);
      integer(wide, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
      value = static_cast<T>(wide);
    } else if constexpr (std::unsigned_integral<T>) {
      auto wide = static_cast<std::uint64_t>(value);
      integer(wide, std::numeric_limits<T>::max());
      value = static_cast<T>(wide);
    } else if constexpr (Worded<T>) {
      word(value);
    } else {
      composite(value);
    }
  }

  template <Worded Enum> void word(Enum& value) {
    const bool must = m_required;
    std::string text(word_of(value));
    scalar(text);
    if (!reading() || m_error) {
      return;
    }
    if (const auto known = from_word<Enum>(text)) {
      value = *known;
    } else if (must) {
      fail_here(ErrorCode::unsupported, "a word of another release");
    }
  }

  template <typename T> void composite(T& value) {
    begin_object();
    fields(*this, value);
  }
  template <typename T> void composite(std::optional<T>& value) {
    if (reading()) {
      value.emplace();
    }
    take(*value);
  }
  template <typename T> void composite(std::vector<T>& values) { list(values, false); }
  template <typename T> void composite(std::set<T>& values) {
    std::vector<T> list_of(values.begin(), values.end());
    list(list_of, false);
    values = std::set<T>(list_of.begin(), list_of.end());
  }
  template <typename T> void composite(std::map<std::string, T>& values) {
    begin_object();
    if (reading()) {
      values.clear();
      for (const std::string& key : keys()) {
        required(key, values[key]);
      }
      return;
    }
    for (auto& [key, value] : values) {
      required(key, value);
    }
  }

  template <typename T> void list(std::vector<T>& values, bool pass_over) {
    const std::size_t size = begin_list(values.size());
    if (!reading()) {
      for (T& value : values) {
        enter_element(0);
        take(value);
        leave();
      }
      return;
    }
    values.clear();
    for (std::size_t i = 0; i < size && !m_error; ++i) {
      T value{};
      enter_element(i);
      m_required = true;
      take(value);
      leave();
      if (!m_error) {
        values.push_back(std::move(value));
      } else if (pass_over || m_error->code == ErrorCode::unsupported) {
        m_error.reset();
      }
    }
  }

  // Where we are: enter() goes to the value of a key and says whether there is one, leave() back.
  bool enter(std::string_view key, bool must);
  void enter_element(std::size_t index);
  void leave();
  void begin_object();
  std::size_t begin_list(std::size_t size_to_write);
  std::vector<std::string> keys();
  void leave_out_if_empty(std::string_view key);

  void scalar(bool& value);
  void scalar(std::string& value);
  void scalar(SystemTime& value);
  void integer(std::int64_t& value, std::int64_t least, std::int64_t most);
  void integer(std::uint64_t& value, std::uint64_t most);
  void fail_here(ErrorCode code, std::string_view what);

  std::vector<const nlohmann::json*> m_source; ///< From the whole to where we are; or
  std::vector<nlohmann::ordered_json*> m_target;
  std::vector<std::string> m_path;
  bool m_required = false; ///< The field that we are at.
  std::optional<Error> m_error;
};

/// Errors: those of JsonFields::result().
template <typename T> [[nodiscard]] Result<T> from_json_fields(const nlohmann::json& json) {
  T value{};
  JsonFields reader(json);
  fields(reader, value);
  RB_TRY(reader.result());
  return value;
}

/// In the order of the list of fields; nlohmann::json(…) of it has them sorted.
template <typename T> [[nodiscard]] nlohmann::ordered_json to_json_fields(T value) {
  nlohmann::ordered_json json;
  JsonFields writer(json);
  fields(writer, value);
  return json;
}

} // namespace rb
