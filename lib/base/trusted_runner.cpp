#include "base/trusted_runner.hpp"

#include "base/open_beneath.hpp"

namespace rb {

Result<ProcessResult> TrustedRunner::run(const ProcessSpec& spec, std::stop_token stop) {
  const Status checked = check_root_owned(spec.program);
  if (!checked && checked.error().code != ErrorCode::not_found) {
    return checked.error();
  }
  return m_runner.run(spec, std::move(stop));
}

} // namespace rb
