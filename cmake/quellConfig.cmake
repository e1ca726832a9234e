# find_package(quell): quell::runtime, quell::actors, quell::http.
include(${CMAKE_CURRENT_LIST_DIR}/quellDependencies.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/quellTargets.cmake)
