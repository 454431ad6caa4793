#include "kube/retry.hpp"

#include "terminal/terminal_text.hpp"

#include "base/json_fields.hpp"
#include "base/json_member.hpp"
#include "kube/resource.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>

namespace rb::kube {

namespace {

using nlohmann::json;

constexpr std::size_t k_message_limit_bytes = 512;
constexpr int k_number_limit = 1'000'000;
constexpr std::chrono::seconds k_longest_retry_after{300};

/// The fields of metav1.Status that we use; empty where the body has none.
struct StatusFields {
  std::string reason;
  std::string message;
  int code = 0;
  std::chrono::seconds retry_after{0};
};

StatusFields fields_of(const json& status) {
  StatusFields fields;
  fields.reason = json_text(status, "reason");
  fields.message = json_text(status, "message");
  fields.code = int_of(status, "code", k_number_limit);
  fields.retry_after = std::chrono::seconds(
      int_of(json_member(status, "details"), "retryAfterSeconds", k_number_limit));
  return fields;
}

ErrorCode code_of(int http_status, std::string_view reason) {
  switch (http_status) {
  case 401:
    return ErrorCode::unauthenticated;
  case 403:
    return ErrorCode::permission_denied;
  case 404:
    return ErrorCode::not_found;
  case 405:
  case 406:
  case 415:
    return ErrorCode::unsupported;
  case 408:
  case 504:
    return ErrorCode::timeout;
  case 409:
    return reason == "AlreadyExists" ? ErrorCode::already_exists : ErrorCode::conflict;
  case 410:
    return ErrorCode::gone;
  case 429:
    return ErrorCode::throttled;
  default: // HTTP statuses are open-ended
    break;
  }
  if (http_status >= 500) {
    return ErrorCode::unavailable;
  }
  return http_status >= 400 ? ErrorCode::invalid_argument : ErrorCode::unsupported;
}

/// How is_of_datastore knows it again: of a confidential kind the words are not kept.
constexpr int k_datastore_mark = EAGAIN;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// A 403 is not always of RBAC: a webhook, a quota and a namespace that is going say no by the same
/// code, and each in words of its own.
std::string hint_of(ErrorCode code, std::string_view what, std::string_view said) {
  if (code == ErrorCode::unauthenticated) {
    return "the API server does not know us: check the token or the client certificate";
  }
  if (contains(said, "denied the request") || contains(said, "denied request: ")) {
    return "a policy of the cluster refuses it: make an exception for railiance-backup there";
  }
  if (code != ErrorCode::permission_denied) {
    return {};
  }
  if (contains(said, "exceeded quota")) {
    return "the ResourceQuota of the namespace is used up: kubectl describe resourcequota";
  }
  if (contains(said, "being terminated")) {
    return "the namespace is being deleted: see what holds it (kubectl get namespace -o yaml)";
  }
  return std::string(k_rbac_hint).append(what);
}

/// Of etcd, which takes 1.5 MiB, and of its client, which sends 2 MiB.
bool is_word_of_size(std::string_view message) {
  return contains(message, "etcdserver: request is too large") ||
         contains(message, "trying to send message larger than max");
}

/// The API server has no status for what its client of etcd says, and passes the words on with a
/// 500 (kubernetes/kubernetes issue 112152). So it does with those of its client of a KMS plugin,
/// behind its own ("Internal error occurred: unable to transform key …"). Too large an answer is of
/// what was asked for, too large an object of what was to be written: both stay.
bool is_word_of_datastore(std::string_view message) {
  if (is_word_of_size(message)) {
    return false;
  }
  constexpr std::array<std::string_view, 4> k_passing{
      "Unavailable", "DeadlineExceeded", "Canceled", "Aborted"};
  constexpr std::string_view k_rpc = "rpc error: code = ";
  const std::size_t rpc = message.find(k_rpc);
  if (rpc == std::string_view::npos) {
    return message.starts_with("etcdserver: ");
  }
  const std::string_view code = message.substr(rpc + k_rpc.size());
  const bool of_store = contains(code, "database is locked") || contains(code, "etcdserver: ");
  return (rpc == 0 && of_store) || std::ranges::any_of(k_passing, [&](std::string_view word) {
           return code.starts_with(word);
         });
}

Error make(std::string_view what, const StatusFields& fields, int http_status, bool confidential) {
  Error error;
  error.code = code_of(http_status, fields.reason);
  error.http_status = http_status;
  error.retry_after = fields.retry_after;
  const std::string_view said = confidential ? fields.reason : fields.message;
  error.message.append(what).append(": ").append(said.empty()
                                                     ? "HTTP " + std::to_string(http_status)
                                                     : terminal_text(said, k_message_limit_bytes));
  error.hint = hint_of(error.code, what, fields.message);
  if (http_status == 500 && is_word_of_datastore(fields.message)) {
    error.system_errno = k_datastore_mark;
  }
  return error;
}

bool never_reached(const Error& error) {
  return error.http_status == 0 && error.system_errno == ECONNREFUSED;
}

} // namespace

Error error_from_response(std::string_view what,
                          int http_status,
                          std::chrono::seconds retry_after,
                          std::string_view body,
                          bool confidential) {
  const json status = json_of(body);
  StatusFields fields;
  if (status.is_object() && json_text(status, "kind") == "Status") {
    fields = fields_of(status);
  }
  Error error = make(what, fields, http_status, confidential);
  if (retry_after.count() > 0) {
    error.retry_after = retry_after;
  }
  return error;
}

Error error_from_status(std::string_view what, const json& status, bool confidential) {
  const StatusFields fields = fields_of(status);
  // A Status without a code still says something by its reason.
  const bool expired = fields.reason == "Expired" || fields.reason == "Gone";
  const int http_status = fields.code != 0 ? fields.code : (expired ? 410 : 500);
  return make(what, fields, http_status, confidential);
}

bool is_of_datastore(const Error& error) {
  return error.http_status == 500 && error.system_errno == k_datastore_mark;
}

bool is_too_large(const Error& error) {
  return error.http_status == 413 || (error.http_status == 500 && is_word_of_size(error.message));
}

bool may_resend(Method method, const Error& error) {
  if (error.code == ErrorCode::throttled || never_reached(error)) {
    return true;
  }
  if (error.system_errno == EPROTO) {
    return false; // TLS: the next try fails for the same reason
  }
  // A timeout has used up the caller's patience already; the caller decides.
  if (error.code != ErrorCode::unavailable || is_too_large(error)) {
    return false;
  }
  switch (method) {
  case Method::get:
  case Method::put:
  case Method::remove:
    return true;
  case Method::post:
  case Method::patch:
    return false;
  }
  return false;
}

bool PageSize::shrink(const Error& error) {
  const bool late = error.code == ErrorCode::timeout; // whole objects take the server's time
  if (m_now <= 1 || !(late || error.code == ErrorCode::unsupported)) {
    return false;
  }
  m_now = std::max(1U, m_now / (late ? 4 : 2));
  m_most = late ? m_now : m_most; // what took too long once would do so again
  return true;
}

void PageSize::came(std::size_t items, std::size_t bytes) {
  if (m_most != 0 && items != 0) {
    const std::size_t average = std::max<std::size_t>(bytes / items, 1);
    m_now = static_cast<unsigned>(std::clamp<std::size_t>(m_limit_bytes / 2 / average, 1, m_most));
  }
}

void PageSize::ended() {
  m_most = std::min(m_usual, m_most * 2);
}

std::chrono::milliseconds
Backoff::next(TimePoint now, double fraction, std::chrono::seconds at_least) {
  if (m_used && m_policy.quiet.count() > 0 && now - m_last >= m_policy.quiet) {
    reset();
  }
  m_used = true;
  const std::chrono::milliseconds full = m_next;
  m_next = std::min(m_next * 2, m_policy.most);
  const auto half = full / 2;
  const auto extra = std::chrono::milliseconds(
      static_cast<std::int64_t>(static_cast<double>((full - half).count()) * fraction));
  const std::chrono::milliseconds asked = std::min(at_least, k_longest_retry_after);
  const std::chrono::milliseconds wait = std::max(half + extra, asked);
  m_last = now + wait;
  return wait;
}

std::chrono::milliseconds Pace::wait_before_next(TimePoint now) {
  const auto ahead = std::max(m_all_paid - now, TimePoint::duration::zero());
  const auto allowed = m_limit.period * (m_limit.burst - 1);
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(
      std::max(ahead - allowed, TimePoint::duration::zero()));
  m_all_paid = now + ahead + m_limit.period;
  return wait;
}

} // namespace rb::kube
