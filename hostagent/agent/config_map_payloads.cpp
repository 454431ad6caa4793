#include "agent/payload_source.hpp"

#include "kube/client.hpp"

namespace rb::agent {

Result<Bytes> ConfigMapPayloads::piece(const std::string& config_map, std::stop_token stop) {
  RB_TRY_ASSIGN(const auto object,
                m_client.get({kube::k_config_maps, m_name_space, config_map, {}}, stop));
  try {
    const auto& text = object.at("binaryData").at("payload").get_ref<const std::string&>();
    auto bytes = from_base64(text);
    return bytes ? std::move(bytes)
                 : Result<Bytes>(std::move(bytes).error().within("configmap " + config_map));
  } catch (const nlohmann::json::exception&) {
    return Error{
        ErrorCode::corrupt, "configmap " + config_map + ": it has no binaryData.payload", {}};
  }
}

} // namespace rb::agent
