/* The keeper forks every program of a job and reaps it. It may be killed itself: then its programs live on, and nobody
   says when they end. Such a run stays open; the server leaves, and its next life hunts before it says anything.

   A program may start others, lie about what it is (everything it can change itself), and go on by itself.

   Mutations are -D flags; run.sh demands that each of them is caught. */

#include "law.pml"

mtype:st s = queued;
byte epoch = 0;
bool receipt = false, proof = false, twice = false;
mtype:verdict said = none;

#define K_NONE 0
#define K_LIVES 1
byte keeper = K_LIVES;
bool up = true;
byte kills = 0, crashes = 0;

/* ---- the world: a program, and one it started that looks like nobody's ---------------------------------------- */
bool program = false, child = false, child_lies = false;
byte started_by = 0;                      /* the epoch of the run that started them */

active proctype programs() {
end: do
  :: atomic { program -> program = false }
  :: atomic { program && !child -> child = true; if :: child_lies = true :: skip fi }
  :: atomic { child -> child = false; child_lies = false }
  od
}

active proctype they_act() {
end: do
  :: atomic { (program || child) -> assert(!receipt) }
  od
}

/* ---- the server --------------------------------------------------------------------------------------------------- */
bool runs = false, eof = false, asked = false;

active proctype server() {
end: do
  :: atomic { up && s == queued && !runs && keeper == K_LIVES && !eof -> move(running); epoch++; runs = true;
       twice = twice || program || child; program = true; started_by = epoch }
  :: atomic { up && runs && keeper == K_LIVES && !program && !child -> runs = false;      /* reaped, all of it */
       if :: asked -> said = reaped :: else -> if :: s == running -> move(succeeded) :: else -> said = reaped fi fi }
  :: atomic { up && asked && runs && keeper == K_LIVES && (program || child) -> program = false; child = false; child_lies = false }   /* killed and reaped */
  :: atomic { up && asked && !runs && said == none -> said = (s == pending_delete -> not_running : none); asked = false }
  :: atomic { up && keeper == K_NONE && !eof -> eof = true;
#ifdef A_DEAD_KEEPER_HAS_REAPED
       runs = false; said = reaped
#elif defined(A_DEAD_KEEPER_IS_AN_ERROR)
       runs = false; if :: s == running -> move(queued) :: else -> said = reaped fi
#else
       skip
#endif
     }
  od
}

active proctype another_node() {
end: do
#ifdef A_DEAD_KEEPER_IS_AN_ERROR
  :: atomic { s == queued && eof -> twice = twice || program || child; move(running); move(succeeded) }
#endif
  :: atomic { false -> skip }
  od
}

active proctype deleter() {
end: do
  :: atomic { s == queued || s == running || s == succeeded -> said = none;
       asked = (s == running);
       if :: s == running -> move(pending_delete) :: else -> move(pending_delete); said = not_running fi }
  :: atomic { up && s == pending_delete && said != none -> prove(said, proof);
       if :: proof -> proof = false; move(gone); receipt = true :: else -> skip fi }
  od
}

/* ---- faults ---------------------------------------------------------------------------------------------------------- */
active proctype chaos() {
end: do
  :: atomic { keeper == K_LIVES && up && kills < 2 -> kills++; keeper = K_NONE }
  :: atomic { up && crashes < 1 -> crashes++; up = false }
  /* Exit 75: the run stays open, the store keeps it as this node's. */
  :: atomic { up && eof -> up = false }
  od
}

/* The keeper of a dead server ends everything below it, and then itself. */
active proctype keeper_cleans() {
end: do
  :: atomic { !up && keeper == K_LIVES -> program = false; child = false; child_lies = false; keeper = K_NONE }
  od
}

bool hunted = false;
active proctype next_life() {
end: do
  :: atomic { !up && keeper == K_NONE && !hunted -> hunted = true;
#ifdef NO_HUNT
       skip
#elif defined(HUNTS_BY_WHAT_THEY_SAY)
       program = false; if :: !child_lies -> child = false :: else -> skip fi
#else
       program = false; child = false; child_lies = false
#endif
     }
  :: atomic { !up && hunted -> hunted = false; up = true; keeper = K_LIVES; eof = false;
       runs = false; asked = false;
       if :: s == running -> move(queued) :: s == pending_delete -> said = process_died :: else -> skip fi }
  od
}

ltl honest { [] (receipt -> (s == gone && !program && !child)) }
ltl once { [] !twice }
ltl finishes { [] (s == pending_delete -> <> receipt) }
