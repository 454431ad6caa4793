if(TARGET rb_helm)
  foreach(property values archive decode)
    rb_test(prop_helm_${property}
      SOURCES "${CMAKE_CURRENT_LIST_DIR}/prop_helm_${property}.cpp"
      LINKS rb_helm nlohmann_json::nlohmann_json yaml-cpp
      LABEL property)
  endforeach()
  rb_test(prop_helm_secrets
    SOURCES "${CMAKE_CURRENT_LIST_DIR}/prop_helm_secrets.cpp"
    LINKS rb_restore rb_helm LABEL property)
endif()
