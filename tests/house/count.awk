# "passed failed" of what a suite printed; -v code=N is its exit code. It reads
# - a suite that closes with "N passed, M failed" (the last such line counts);
# - the log of ctest: of each entry the cases of its GoogleTest binary, or its own closing line, or else the entry as one;
# - anything else as one case, which passes with exit code 0.
# An entry of ctest that did not pass, and a suite with another exit code than 0, have failed at least once.
function close_suite() {
  if (!open) return
  if (!counted) p = good
  if (!good && !f) f = 1
  passed += p
  failed += f
}
function begin_suite() { open = 1; p = f = good = counted = 0 }

BEGIN { begin_suite() }
/^[0-9]+\/[0-9]+ Testing: / {
  if (entries++) close_suite()
  begin_suite()
}
/^\[==========\] Running [0-9]+ / { counted = 1 }
/^\[       OK \] .* \([0-9]+ ms\)$/ { p++ }
/^\[  FAILED  \] .* \([0-9]+ ms\)$/ { f++ }
/^[0-9]+ passed, [0-9]+ failed/ || / [0-9]+ passed, [0-9]+ failed$/ {
  match($0, /[0-9]+ passed, [0-9]+ failed/)
  split(substr($0, RSTART), word, " ")
  p = word[1]
  f = word[3]
  counted = 1
}
/^Test Passed\.$/ { good = 1 }
END {
  if (!entries) good = code == 0
  close_suite()
  if (entries && code != 0 && !failed) failed = 1
  print passed + 0, failed + 0
}
