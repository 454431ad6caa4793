#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

namespace rb {

nlohmann::json json_of(std::string_view text) {
  return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
}

nlohmann::json json_of(std::string_view text, const JsonKeep& keep) {
  if (!keep) {
    return json_of(text);
  }
  const nlohmann::json::parser_callback_t callback =
      [&](int depth, nlohmann::json::parse_event_t event, const nlohmann::json& parsed) {
        return event != nlohmann::json::parse_event_t::key ||
               keep(depth, parsed.get_ref<const std::string&>());
      };
  return nlohmann::json::parse(text, callback, /*allow_exceptions=*/false);
}

JsonFields::JsonFields(nlohmann::ordered_json& target) : m_target{&target} {
  target = nlohmann::ordered_json::object();
}

void JsonFields::fail(Error error) {
  if (!m_error) {
    m_error = std::move(error);
  }
}

void JsonFields::fail_here(ErrorCode code, std::string_view what) {
  std::string path;
  for (const std::string& step : m_path) {
    path += (path.empty() || step.starts_with('[') ? "" : ".") + step;
  }
  Error error{code, std::string(what), {}};
  fail(path.empty() ? std::move(error) : std::move(error).within(path));
}

bool JsonFields::enter(std::string_view key, bool must) {
  if (!reading()) {
    m_target.push_back(&(*m_target.back())[std::string(key)]);
    m_path.emplace_back(key);
    return true;
  }
  if (m_error) {
    return false;
  }
  const nlohmann::json& object = *m_source.back();
  if (!object.is_object()) {
    fail_here(ErrorCode::corrupt, "not an object");
    return false;
  }
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) {
    if (must) {
      fail_here(ErrorCode::corrupt, std::string(key) + " is missing");
    }
    return false;
  }
  m_source.push_back(&*found);
  m_path.emplace_back(key);
  return true;
}

void JsonFields::enter_element(std::size_t index) {
  if (reading()) {
    m_source.push_back(&(*m_source.back())[index]);
  } else {
    m_target.back()->push_back(nullptr);
    m_target.push_back(&m_target.back()->back());
  }
  m_path.push_back("[" + std::to_string(index) + "]");
}

void JsonFields::leave() {
  reading() ? m_source.pop_back() : m_target.pop_back();
  m_path.pop_back();
}

void JsonFields::begin_object() {
  if (!reading()) {
    *m_target.back() = nlohmann::ordered_json::object();
  } else if (!m_source.back()->is_object()) {
    fail_here(ErrorCode::corrupt, "not an object");
  }
}

std::size_t JsonFields::begin_list(std::size_t size_to_write) {
  if (!reading()) {
    *m_target.back() = nlohmann::ordered_json::array();
    return size_to_write;
  }
  if (!m_source.back()->is_array()) {
    fail_here(ErrorCode::corrupt, "not a list");
    return 0;
  }
  return m_source.back()->size();
}

std::vector<std::string> JsonFields::keys() {
  std::vector<std::string> keys;
  if (m_source.back()->is_object()) {
    for (const auto& [key, value] : m_source.back()->items()) {
      keys.push_back(key);
    }
  }
  return keys;
}

void JsonFields::leave_out_if_empty(std::string_view key) {
  if (!reading() && m_target.back()->at(std::string(key)).empty()) {
    m_target.back()->erase(std::string(key));
  }
}

void JsonFields::scalar(bool& value) {
  if (!reading()) {
    *m_target.back() = value;
  } else if (!m_source.back()->is_boolean()) {
    fail_here(ErrorCode::corrupt, "neither true nor false");
  } else {
    value = m_source.back()->get<bool>();
  }
}

void JsonFields::scalar(std::string& value) {
  if (!reading()) {
    *m_target.back() = value;
  } else if (!m_source.back()->is_string()) {
    fail_here(ErrorCode::corrupt, "not a text");
  } else {
    value = m_source.back()->get_ref<const std::string&>();
  }
}

void JsonFields::scalar(SystemTime& value) {
  std::string text = reading() ? std::string() : format_rfc3339(value);
  scalar(text);
  if (!reading() || m_error) {
    return;
  }
  if (const auto time = parse_rfc3339(text)) {
    value = *time;
  } else {
    fail_here(ErrorCode::corrupt, "not a time");
  }
}

void JsonFields::integer(std::int64_t& value, std::int64_t least, std::int64_t most) {
  if (!reading()) {
    *m_target.back() = value;
    return;
  }
  const auto read = json_integer_of<std::int64_t>(*m_source.back());
  if (!read || *read < least || *read > most) {
    fail_here(ErrorCode::corrupt, "not an integer that fits");
    return;
  }
  value = *read;
}

void JsonFields::integer(std::uint64_t& value, std::uint64_t most) {
  if (!reading()) {
    *m_target.back() = value;
    return;
  }
  const auto read = json_integer_of<std::uint64_t>(*m_source.back());
  if (!read || *read > most) {
    fail_here(ErrorCode::corrupt, "not an integer that fits");
    return;
  }
  value = *read;
}

} // namespace rb
