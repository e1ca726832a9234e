/* Two tables, two looks. A job's one row rests in `live` or in `job`, and a tombstone is left when it goes. Whoever
   needs to know must look at several places, each with a snapshot of its own, while the row moves beside him.

   An id is submitted again beside the delete of its job: the law of the insert looks for the row and for the tombstone.
   A mark looks in `live`, in `job` and for the tombstone, and says "no such job" only when it has seen nothing.

   Mutations are -D flags; run.sh demands that each of them is caught. */

#include "law.pml"

mtype:st s = queued;
bool in_live = true, in_job = false;    /* where the committed row is */
bool tomb = false;
bool came_back = false, denied = false;
byte revived = 0;
byte pc = 0;                            /* the second submit; from 1 to 3 its insert holds the key of one table */
bool saw_row = false, saw_tomb = false;

/* The key keeps two rows of one table apart; the other table is only looked at. */
#ifdef INTO_JOB
#define taken in_job
#define other in_live
#define may_rise true
#define may_rest (pc == 0 || pc == 4)
#else
#define taken in_live
#define other in_job
#define may_rise (pc == 0 || pc == 4)
#define may_rest true
#endif

/* ---- the job's own life: each step is one transaction ------------------------------------------------------- */
inline rest(b) { move(b); in_live = false; in_job = true }

active proctype life() {
end: do
  :: atomic { s == queued -> move(running) }
  :: atomic { s == running && may_rest -> rest(failed) }
  :: atomic { s == failed && revived < 2 && may_rise -> revived++; move(queued); in_live = true; in_job = false }
  :: atomic { (s == queued || s == running) && may_rest -> rest(pending_delete) }
  :: atomic { s == failed -> move(pending_delete) }
  :: atomic { s == pending_delete -> move(gone); in_job = false; tomb = true }
  :: atomic { s == queued -> move(pending_delete); move(gone); in_live = false; tomb = true }    /* nobody holds it: at once */
  od
}

/* ---- the same id once more: its insert is done, and its own law looks before it commits --------------------- */
inline look_row()  { saw_row = saw_row || other }
inline look_tomb() { saw_tomb = saw_tomb || tomb }

active proctype submits_again() {
end: do
  :: atomic { pc == 0 && !taken -> pc = 1 }                   /* the insert holds the key now; a taken one waits for it */
#ifdef TOMB_FIRST
  :: atomic { pc == 1 -> look_tomb(); pc = 2 }
  :: atomic { pc == 2 -> look_row(); pc = 3 }
#elif defined(NO_LOOK_AT_THE_ROW)
  :: atomic { pc == 1 -> look_tomb(); pc = 3 }
#elif defined(NO_LOOK_AT_THE_TOMB)
  :: atomic { pc == 1 -> look_row(); pc = 3 }
#else
  :: atomic { pc == 1 -> look_row(); pc = 2 }
  :: atomic { pc == 2 -> look_tomb(); pc = 3 }
#endif
  :: atomic { pc == 3 ->
       came_back = came_back || (!saw_row && !saw_tomb);      /* the job is there already, or was deleted: both refuse */
       saw_row = false; saw_tomb = false; pc = 4 }
  od
}

/* ---- a mark: what it locks first decides what may slip past --------------------------------------------------- */
byte at = 0, rounds = 0;
active proctype marks() {
end: do
  :: atomic { at == 0 -> at = (in_live -> 9 : 1) }
  :: atomic { at == 1 -> at = (in_job -> 9 : 2) }
  :: atomic { at == 2 ->                                      /* one snapshot: the tombstone, and whether it is there after all */
       if
       :: tomb -> at = 9
#ifndef ONE_ROUND
       :: !tomb && (in_live || in_job) -> at = 0
#endif
       :: else -> denied = true; at = 9
       fi }
  od
}

ltl once { [] !came_back }
ltl found { [] !denied }
ltl one_row { [] (!(in_live && in_job) && !(tomb && (in_live || in_job)) && (s != gone || tomb)) }
