# What others build against: `cmake --install build/release --prefix P`, then find_package(quell). Only these headers are
# promised; a test compiles each from its installed place and looks that none leads to CAF, Boost, libcurl or spdlog.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(public_headers
  runtime/assert.hpp runtime/async.hpp runtime/audit_chain.hpp runtime/clock.hpp runtime/delete_protocol.hpp
  runtime/digest.hpp runtime/effects.hpp runtime/error.hpp runtime/id.hpp runtime/job.hpp runtime/job_host.hpp
  runtime/job_machine.hpp runtime/llm.hpp runtime/queue_limits.hpp runtime/receipt_signer.hpp runtime/result.hpp
  runtime/task.hpp runtime/test_job.hpp runtime/token_bucket.hpp runtime/typed_kind.hpp
  runtime/spec/delete_protocol.def runtime/spec/errors.def runtime/spec/job_machine.def
  storage/batch.hpp storage/reader.hpp storage/store.hpp
  actors/delete_report.hpp actors/node.hpp actors/effects/keeper.hpp actors/effects/owned_fd.hpp
  http/run.hpp)
foreach(header ${public_headers})
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES ${PROJECT_SOURCE_DIR}/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/quell/${folder})
endforeach()

# As quell::runtime (kinds and their tests), quell::actors (a Node in a program of one's own), quell::http (the whole program).
foreach(layer runtime storage actors http)
  set_target_properties(quell_${layer} PROPERTIES EXPORT_NAME ${layer})
endforeach()
install(TARGETS quell_runtime quell_storage quell_actors quell_http EXPORT quell_targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS quell RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/quell)
install(EXPORT quell_targets NAMESPACE quell:: FILE quellTargets.cmake DESTINATION ${package})
# The libraries are static: whoever links them links what they are made with, found as we find it.
install(FILES ${PROJECT_SOURCE_DIR}/cmake/quellConfig.cmake DESTINATION ${package})
install(FILES ${PROJECT_SOURCE_DIR}/cmake/dependencies.cmake DESTINATION ${package} RENAME quellDependencies.cmake)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/quellConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/quellConfigVersion.cmake DESTINATION ${package})
