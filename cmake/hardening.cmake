# quell_harden(TARGET): a memory error ends the process instead of obeying whoever made it. Checked library calls and indices,
# guarded stacks, returns and calls that go only where the compiler meant them, and tables of the linker that nobody writes
# after the start. In release builds of the product: sanitizers look closer, and where nothing is optimised (the tests' own
# code) _FORTIFY_SOURCE sees nothing.
include(CheckCXXCompilerFlag)
set(hardening_guards "")
foreach(guard -fstack-protector-strong -fstack-clash-protection -fcf-protection=full)
  string(MAKE_C_IDENTIFIER "QUELL_HAS${guard}" has)
  check_cxx_compiler_flag(${guard} ${has})
  if(${has})
    list(APPEND hardening_guards ${guard})
  endif()
endforeach()

function(quell_harden target)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Release" OR QUELL_SANITIZE)
    return()
  endif()
  target_compile_options(${target} PRIVATE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS -fPIE ${hardening_guards})
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    target_link_options(${target} PRIVATE -pie LINKER:-z,relro,-z,now,-z,noexecstack)
  endif()
endfunction()
