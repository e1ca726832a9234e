// The trace of the protocol that each test of this binary leaves, and that is judged at its end.
#pragma once

// What was traced so far is judged; what comes belongs to another store.
void begin_another_trace();
