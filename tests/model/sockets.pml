/* What the kernel does for a process that is dead: bytes of a request that were written to a socket go on leaving after
   a kill, unless the socket was set to be reset when it closes (SO_LINGER, no time).

   One request; the window at the other end may be shut and open again. A killed server's next life proves its death and
   erases what was marked, which says: no part of a request leaves after the receipt.

   Mutations are -D flags; run.sh demands that each of them is caught. */

#include "law.pml"

mtype:st s = running;
bool up = true, receipt = false, deleting = false;
byte crashes = 0;

/* ---- the kernel ------------------------------------------------------------------------------------------------ */
bool socket = false, reset_on_close = false;
byte unsent = 0;                          /* in the send buffer */
bool replied = false;                     /* the other end has answered, perhaps before it took the whole request */

inline close_socket() {
  socket = false;
  if :: reset_on_close -> unsent = 0 :: else -> skip fi;
  reset_on_close = false
}

active proctype kernel() {
end: do
  :: atomic { unsent > 0 -> unsent--; assert(!receipt) }
  od
}

active proctype other_end() {
end: do
  :: atomic { socket && unsent < 2 && !replied -> replied = true }
  od
}

/* ---- the server -------------------------------------------------------------------------------------------------- */
byte pc = 0;
active proctype effect() {
end: do
  :: atomic { up && pc == 0 && s == running && !deleting -> pc = 1; socket = true; replied = false;
#if !defined(NO_LINGER) && !defined(LINGER_AFTER_THE_REQUEST)
       reset_on_close = true
#else
       skip
#endif
     }
  :: atomic { up && pc == 1 && !deleting -> pc = 2; unsent = 2 }
#ifdef LINGER_AFTER_THE_REQUEST
  :: atomic { up && pc == 2 && !reset_on_close -> reset_on_close = true }
#endif
#ifdef LIFTED_WHEN_WRITTEN
  :: atomic { up && pc == 2 && reset_on_close -> reset_on_close = false }
#endif
  :: atomic { up && pc == 2 && replied ->                       /* the normal end */
#ifdef LIFTED_WITH_BYTES_LEFT
       reset_on_close = false;
#else
       reset_on_close = reset_on_close && unsent > 0;
#endif
       close_socket(); pc = 3 }
  :: atomic { up && deleting && (pc == 1 || pc == 2) ->         /* an abort is a reset */
       reset_on_close = true;
#ifdef ABORT_IS_A_CLOSE
       reset_on_close = false;
#endif
       close_socket(); pc = 3 }
  od
}

active proctype deleter() {
end: do
  :: atomic { up && s == running && !receipt -> move(pending_delete); deleting = true }
  :: atomic { up && s == pending_delete && (pc == 0 || pc == 3) -> move(gone); receipt = true }
  od
}

active proctype chaos() {
end: do
  :: atomic { up && crashes < 2 && !receipt -> crashes++; up = false; pc = 0; if :: socket -> close_socket() :: else -> skip fi }
  :: atomic { !up -> up = true; deleting = (s == pending_delete) }   /* the lock was free: its process is dead */
  od
}

ltl honest { [] (receipt -> (s == gone && !socket && unsent == 0)) }
