#include "kube/transport.hpp"

namespace rb::kube {

std::string_view to_string(Method method) {
  switch (method) {
  case Method::get:
    return "GET";
  case Method::post:
    return "POST";
  case Method::put:
    return "PUT";
  case Method::patch:
    return "PATCH";
  case Method::remove:
    return "DELETE";
  }
  return "GET";
}

} // namespace rb::kube
