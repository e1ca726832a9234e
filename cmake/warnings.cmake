# Warnings are errors on our own code; `quell_own(target)` says that a target is ours.
#
# Not asked for in an optimised or sanitized build: what g++ 12 guesses about the flow of data once it has inlined
# the standard containers. It sees ghosts in std::vector, std::regex and std::function, others with every level;
# the address lane looks for the real ones. And clang++ minds QUELL_ASSERT(!"a sentence"), which is meant.
function(quell_own target)
  set(guesses -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict -Wno-maybe-uninitialized
    -Wno-free-nonheap-object)
  set(gcc_guesses $<AND:$<CXX_COMPILER_ID:GNU>,$<OR:$<CONFIG:Release>,$<NOT:$<STREQUAL:${QUELL_SANITIZE},>>>>)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
    "$<${gcc_guesses}:${guesses}>" $<$<CXX_COMPILER_ID:Clang>:-Wno-string-conversion>)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
endfunction()
