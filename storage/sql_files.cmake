# SQL is kept in .sql files, which people can read and run, and compiled in from there: one source.
# Each file becomes a row of `sql_files()` (sql_files.hpp), named by its path below storage/.
file(GLOB sql_files CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}
     migrations/*/*.sql laws.*.sql)
list(SORT sql_files)
set(rows "")
foreach(name ${sql_files})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${name})
  file(READ ${name} text)
  string(APPEND rows "    SqlFile{\"${name}\", R\"~sql~(${text})~sql~\"},\n")
endforeach()
set(emitted "#include \"storage/sql_files.hpp\"\n\nnamespace quell::storage {\nnamespace {\nconst SqlFile files[] = {\n${rows}};\n}\nstd::span<const SqlFile> sql_files() { return files; }\n}\n")
set(sql_files_source ${CMAKE_CURRENT_BINARY_DIR}/sql_files.cpp)
file(CONFIGURE OUTPUT ${sql_files_source} CONTENT "@emitted@" @ONLY)
