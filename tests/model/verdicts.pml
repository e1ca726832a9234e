/* A verdict is said again until its commit is known: it may come late, to a second delete of the same id. So it carries
   the epoch of the run that it speaks of, and answers only the holder of that epoch.

   One node, one job: run, delete, restore, run again, delete again, each while an earlier word is still on its way.

   Mutations are -D flags; run.sh demands that each of them is caught. */

#include "law.pml"

mtype:st s = queued;
byte epoch = 0, holder = 0;               /* the holder row: the epoch of the run that it waits for */
byte deletes = 0;
bool receipt = false;
byte acting = 0, stopping = 0;
byte word[2] = 0;                         /* verdicts on their way: the epoch that they speak of */
byte late = 0;                            /* a word whose outcome was unknown, kept to be said again */
bool proof = false;

inline answer(e) {
  if
#ifdef NO_EPOCH
  :: holder > 0 ->
#else
  :: holder > 0 && holder == e ->
#endif
     holder = 0; prove(stopped, proof);
     if :: proof -> move(gone); receipt = true :: else -> skip fi; proof = false
  :: else -> skip
  fi
}

active proctype life() {
end: do
  :: atomic { s == queued && acting == 0 -> move(running); epoch++; acting = epoch }
  :: atomic { s == running && deletes < 2 -> deletes++; move(pending_delete); holder = epoch; stopping = epoch }
  :: atomic { s == gone && deletes < 2 -> born(queued); epoch++; receipt = false }       /* a person restores it */
  od
}

active proctype foreman() {
end: do
  :: atomic { stopping > 0 && acting == stopping && word[0] == 0 -> word[0] = acting; acting = 0; stopping = 0 }
  od
}

active proctype clerk() {
end: do
  :: atomic { word[0] > 0 ->
       if :: late == 0 -> late = word[0] :: skip fi;             /* the commit's reply is lost: it is kept */
       answer(word[0]); word[0] = 0 }
  :: atomic { late > 0 -> answer(late); late = 0 }
  od
}

active proctype effects() {
end: do
  :: atomic { acting > 0 -> assert(!receipt) }
  od
}

ltl honest { [] (receipt -> (s == gone && acting == 0)) }
ltl finishes { [] (s == pending_delete -> <> receipt) }
