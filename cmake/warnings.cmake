# Warnings are errors on our own code; `quell_own(target)` says that a target is ours.
function(quell_own target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
    $<$<CXX_COMPILER_ID:Clang>:-Wno-string-conversion>)  # QUELL_ASSERT(!"a sentence") is meant
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
endfunction()
