# One switch for the sanitizer lanes. CAF's headers bind null references on purpose, hence no -fsanitize=null; what clang++ 14
# writes before a function for -fsanitize=function does not assemble before a coroutine.
if(QUELL_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=null,vptr -fno-omit-frame-pointer
                      -fno-sanitize-recover=undefined $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>)
  add_link_options(-fsanitize=address,undefined)
elseif(QUELL_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -Wno-tsan)
  add_link_options(-fsanitize=thread)
endif()
if(QUELL_FUZZ)  # what libFuzzer steers by; each target links its main
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
