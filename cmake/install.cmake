# What others build against: `cmake --install build/release --prefix P`, then find_package(quell). Only these headers are
# promised; a test compiles each from its installed place and looks that none leads to CAF, Boost, libcurl or spdlog.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(public_headers
  runtime/base/assert.hpp runtime/base/async.hpp runtime/signing/audit_chain.hpp runtime/base/clock.hpp runtime/law/delete_protocol.hpp
  runtime/law/deletion_guard.hpp runtime/law/protection.hpp runtime/policy/retention_policy.hpp runtime/policy/store_snapshot.hpp runtime/policy/id_ranges.hpp
  runtime/base/digest.hpp runtime/task/effects.hpp runtime/base/error.hpp runtime/base/id.hpp runtime/law/job.hpp runtime/task/job_host.hpp
  runtime/law/job_machine.hpp runtime/outbound/llm.hpp runtime/policy/queue_limits.hpp runtime/signing/receipt_signer.hpp runtime/base/result.hpp
  runtime/task/task.hpp runtime/task/test_job.hpp runtime/policy/token_bucket.hpp runtime/task/typed_kind.hpp
  runtime/spec/delete_protocol.def runtime/spec/errors.def runtime/spec/job_machine.def runtime/spec/schedule_machine.def runtime/law/schedule_status.hpp
  storage/archive_ops.hpp storage/audit_op.hpp storage/batch.hpp storage/new_delivery.hpp storage/schedules.hpp storage/steer_ops.hpp storage/spec/verbs.def storage/reader.hpp storage/store.hpp storage/until_by_queue.hpp
  actors/backups/running_backup.hpp actors/deletes/delete_report.hpp actors/deletes/restore_report.hpp actors/deletes/retention_report.hpp actors/operations/operation.hpp actors/schedules/task_delete.hpp actors/node/fatal_fault.hpp actors/node/node.hpp actors/effects/keeper.hpp actors/effects/keeper_record.hpp actors/effects/owned_fd.hpp
  http/server/run.hpp
  actors/effects/program_policy.hpp runtime/policy/operation_plan.hpp runtime/policy/queue_policy.hpp runtime/settings/setting_types.hpp runtime/settings/settings.hpp runtime/spec/settings.def)
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
