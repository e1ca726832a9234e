/* Two processes with one node's name: a data directory was copied, and the copy is started. Its lock is free, which says
   nothing about the life that the original still has.

   The node's row and the directory hold the host, its boot, the place of the directory there (device and inode, which a
   copy cannot keep), and a number made at each start. Only where all of them agree is the free lock proof that the
   earlier life is dead; otherwise the newcomer watches the beat for the time of a lease, and what it then takes over it
   calls lease_expired.

   Mutations are -D flags; run.sh demands that each of them is caught. */

#include "law.pml"

mtype:st s = running;                     /* the original runs it */
bool held = false, receipt = false, unproven = false, proof = false;
bool acts = true, paused = false, original_up = true, newcomer_up = false, beat_over = false;
bool taken_back = false, ghost = false, twice = false, ever_paused = false;

/* How the copy differs. All false: the original itself starts again. */
bool other_host = false, other_boot = false, other_place = false, older_copy = false;
bool copied = false;

active proctype copies() {
  atomic {
    if
    :: copied = true; other_place = true;                       /* cp -a beside the living one, its number and all */
       if :: older_copy = true :: skip fi
    :: copied = true; other_host = true; other_boot = true; if :: older_copy = true :: skip fi
    :: copied = true; other_boot = true                         /* a clone of the whole machine: name and place agree */
    :: copied = true; older_copy = true                         /* the file system of the living one was put back */
    :: skip                                                     /* no copy: the next life of the original */
    fi }
}

#ifdef NO_PLACE
#define place_agrees true
#else
#define place_agrees (!other_place)
#endif
#ifdef NO_NUMBER
#define number_agrees true
#else
#define number_agrees (!older_copy)
#endif
#ifdef NO_BOOT
#define boot_agrees true
#else
#define boot_agrees (!other_boot)
#endif
#ifdef ONLY_THE_LOCK
#define same_life_line true
#else
#define same_life_line (place_agrees && number_agrees && boot_agrees && !other_host)
#endif
/* The lock is the kernel's, on this file of this boot. */
#define lock_free (copied || !original_up)

inline weigh(v) {
  prove(v, proof);
  unproven = unproven || !proof; proof = false; held = false;
  if :: s == pending_delete -> move(gone); receipt = true :: else -> skip fi
}

active proctype original() {
end: do
  :: atomic { original_up && !paused -> paused = true; ever_paused = true }         /* perhaps for ever */
  :: atomic { paused -> paused = false }
  :: atomic { original_up && !paused && acts -> assert(!receipt || unproven) }
  :: atomic { original_up && !paused && acts -> acts = false;          /* its run ends by itself */
       if :: s == running && !taken_back -> move(succeeded) :: else -> skip fi }
  :: atomic { original_up && !paused && held && !beat_over -> acts = false; weigh(stopped) }   /* its own beat brings the order */
  :: atomic { original_up -> original_up = false; acts = false; paused = false }         /* killed */
  :: atomic { original_up && !paused && beat_over -> original_up = false; acts = false }   /* its life is over: exit 75 */
  od
}

active proctype deleter() {
end: do
  :: atomic { s == queued || s == running || s == succeeded ->
       if :: ghost -> unproven = true :: else -> skip fi;
       held = (s == running); move(pending_delete);
       if :: !held -> move(gone); receipt = true :: else -> skip fi }
  od
}

active proctype newcomer() {
end: do
  :: atomic { lock_free && !newcomer_up && same_life_line -> newcomer_up = true;         /* the earlier life is proven dead */
       if
       :: held -> weigh(process_died)
       :: s == running && !held -> taken_back = true; move(queued)
       :: else -> skip
       fi }
#ifdef NO_LEASE
  :: atomic { lock_free && !newcomer_up && !same_life_line -> newcomer_up = true; beat_over = true }
#else
  :: atomic { lock_free && !newcomer_up && !same_life_line && (!original_up || paused) -> newcomer_up = true; beat_over = true }
#endif
  :: atomic { newcomer_up && beat_over && held -> weigh(lease_expired) }
  :: atomic { newcomer_up && beat_over && s == running && !held -> taken_back = true; ghost = true; move(queued) }
  :: atomic { newcomer_up && taken_back && s == queued -> twice = twice || (acts && !ever_paused); move(running); move(succeeded) }
  od
}

ltl honest { [] ((receipt && !unproven) -> !acts) }
ltl once { [] !twice }
