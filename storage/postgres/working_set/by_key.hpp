// The row of another table that belongs to one at hand, or none: by its key, and no other way. A
// plain LEFT JOIN leaves the planner a choice, and statistics from when the other table was empty
// have it read all of that table for each row. A subquery with OFFSET is planned by itself.
#pragma once

// `key`: the other table's column = a value of the rows at hand.
#define QUELL_BY_KEY(table, key, alias)                                                  \
  " LEFT JOIN LATERAL (SELECT * FROM " table " WHERE " table "." key " OFFSET 0) " alias \
  " ON "                                                                                 \
  "true"
