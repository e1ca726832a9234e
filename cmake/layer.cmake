# quell_layer(NAME GLOB...): a layer is one static library of whatever sources lie in its folders. One that
# has none yet is still a target, so that the tree configures on every day of its life.
function(quell_layer name)
  file(GLOB sources CONFIGURE_DEPENDS ${ARGN})
  if(NOT sources)
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/still_empty.cpp)
    file(WRITE ${sources} "")
  endif()
  add_library(${name} STATIC ${sources})
  quell_own(${name})
endfunction()
