# quell_groups(RESULT SIZE SOURCES...): the sources of each folder in groups of SIZE, each compiled as one, so that what they
# include is read once for all; the headers are most of what a clean build costs. `./dev` asks for it where it begins a
# tree. Whoever changes one file at a time is served better without: `cmake --preset dev`, or release by hand.
# The names of the sources are relative, so that ccache knows a group again in another checkout.
function(quell_groups result size)
  if(NOT QUELL_GROUPS)
    set(${result} ${ARGN} PARENT_SCOPE)
    return()
  endif()
  # Two warnings take the files of a group for one; what is built without groups (the long lane) has them.
  set(between_files -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  set(groups "")
  set(last "")
  set(end ${PROJECT_SOURCE_DIR}/end)  # no file: another folder than every other, so that the last group is written
  foreach(source ${ARGN} ${end})
    file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR} ${source})
    get_filename_component(folder ${source} DIRECTORY)
    if(last AND (NOT folder STREQUAL last OR count EQUAL size))
      file(CONFIGURE OUTPUT ${group} CONTENT "@text@" @ONLY)
      set_source_files_properties(${group} PROPERTIES COMPILE_OPTIONS "${options};${between_files}")
      list(APPEND groups ${group})
      set(last "")
    endif()
    if(NOT last)
      set(group ${PROJECT_BINARY_DIR}/groups/${path})
      set(options "")
      set(text "")
      set(count 0)
    endif()
    get_property(own SOURCE ${source} PROPERTY COMPILE_OPTIONS)  # what one source asks for its whole group gets
    list(APPEND options ${own})
    list(REMOVE_DUPLICATES options)
    string(APPEND text "#include \"${path}\"\n")
    math(EXPR count "${count} + 1")
    set(last ${folder})
  endforeach()
  set(${result} ${groups} PARENT_SCOPE)
endfunction()

# quell_layer(NAME SIZE GLOB...): a layer is one static library of whatever sources lie in its folders. One that
# has none yet is still a target, so that the tree configures on every day of its life. SIZE: of its groups, see above.
function(quell_layer name size)
  file(GLOB sources CONFIGURE_DEPENDS ${ARGN})
  if(NOT sources)
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/still_empty.cpp)
    file(WRITE ${sources} "")
  endif()
  quell_groups(sources ${size} ${sources})
  add_library(${name} STATIC ${sources})
  quell_own(${name})
  quell_harden(${name})
endfunction()
