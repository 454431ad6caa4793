foreach(property watch election)
  rb_test(prop_kube_${property}
    SOURCES "${CMAKE_CURRENT_LIST_DIR}/prop_kube_${property}.cpp"
    LINKS rb_kube
    LABEL property)
endforeach()
