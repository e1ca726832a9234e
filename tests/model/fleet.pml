/* The delete protocol across two nodes and one store: who may answer for a run, and what an answer is worth.

   One job, which either node may claim, and one delivery of it, which node 1 may hold. Time is the age of a node's
   beat: 0 fresh, 1 starts nothing any more and exits by 13 s, 2 others may call it dead (15 s). A paused node takes no step; when it comes back it goes on exactly where it was, which is why a lease verdict is
   not proof. Faults: a pause (perhaps for ever), a crash, a cut between a node and the store; any two of them.

   Mutations are -D flags; run.sh demands that each of them is caught. */

#ifndef FAULTS
#define FAULTS 2
#endif

#include "law.pml"

/* ---- the store ------------------------------------------------------------------------------------------------ */
mtype:st s = queued;
byte epoch = 0;
byte owner = 0; bool owner_lives = false;          /* live.node, and whether live.life is that node's present life */
bool run_held = false; byte run_holder = 0; bool run_holder_lives = false;
bool ghost[2] = false, ghost_lives[2] = false;     /* the holder row that a run leaves when its lease is called over */
bool sent_held = false;                            /* the holder row of the delivery, always node 1 */
bool marked = false, receipt = false, unproven = false, proof = false;
byte dead_epoch = 0;
bool late_commit = false; byte late_node = 0;      /* a claim of a dead life that the store still carries out */

/* ---- the world -------------------------------------------------------------------------------------------------- */
byte faults = 0;
bool ever_paused = false, ever_died = false, ever_cut = false;
bool late = false;                                 /* something acted after a receipt that called it unproven */

/* ---- each node --------------------------------------------------------------------------------------------------- */
bool up[2] = true, paused[2] = false, for_ever[2] = false, cut[2] = false;
byte age[2] = 0;
bool declared[2] = false;                          /* the others call this life dead */
#define C_NONE 0
#define C_SENT 1
#define C_COMMITTED 2                              /* the reply is on its way */
#define C_UNKNOWN 3                                /* the connection went; the outcome is not known */
byte call[2] = C_NONE; byte call_epoch[2] = 0;
bool told[2] = false; byte fence[2] = 0;           /* the order to stop has arrived */
bool note[2] = false;                              /* a NOTIFY on its way */
bool alive[2] = false; byte run_epoch[2] = 0;
bool permitted[2] = false, outside[2] = false;     /* one effect of the run */
byte finish[2] = 0;                                /* the epoch of a finish not yet written */
#define D_WAITING 0
#define D_PERMITTED 1
#define D_OUTSIDE 2
#define D_CLOSED 3                                 /* over, but its row still says held */
#define D_GONE 4
#define D_OF_THE_DEAD 5                            /* its row names an earlier life of node 1 */
byte delivery = D_WAITING;

#define steps(n) (up[n] && !paused[n])
#define reaches(n) (up[n] && !paused[n] && !cut[n])

inline erase_rows() {
  move(gone); receipt = true; dead_epoch = epoch
}

/* One transaction: the verdict of one holder, and the erase if it was the last. */
inline weigh(v) {
#ifndef LEASE_IS_PROOF
  prove(v, proof);
  unproven = unproven || !proof; proof = false;
#endif
  if
#ifdef ERASE_WITHOUT_LAST
  :: s == pending_delete -> erase_rows()
#else
  :: s == pending_delete && !run_held && !sent_held -> erase_rows()
#endif
  :: else -> skip
  fi
}

inline acts(e) {
  assert(!(receipt && e <= dead_epoch) || unproven);
  late = late || (receipt && e <= dead_epoch)
}

/* ---- claim: sent, committed, read ------------------------------------------------------------------------------- */
proctype claims(byte n) {
end: do
  :: atomic { reaches(n) && age[n] == 0 && !declared[n] && s == queued && call[n] == C_NONE && !alive[n] && finish[n] == 0
       -> call[n] = C_SENT }
  :: atomic { call[n] == C_COMMITTED && reaches(n) && age[n] == 0 ->
       call[n] = C_NONE;
       if
#ifndef NO_FENCE
       :: call_epoch[n] <= fence[n] -> skip                          /* dropped: not_started */
#endif
       :: else -> alive[n] = true; run_epoch[n] = call_epoch[n]; acts(run_epoch[n])
       fi; call_epoch[n] = 0 }
  :: atomic { call[n] == C_UNKNOWN && reaches(n) && age[n] == 0 ->   /* re-read, never assume */
       call[n] = C_NONE;
       if
#ifndef UNKNOWN_NOT_REREAD
       :: s == running && owner == n && owner_lives -> alive[n] = true; run_epoch[n] = epoch; acts(epoch)
#endif
       :: else -> skip
       fi }
  od
}

proctype store_commits(byte n) {
end: do
  :: atomic { call[n] == C_SENT ->
       if
       :: s == queued -> move(running); epoch++; owner = n; owner_lives = true;
          call[n] = C_COMMITTED; call_epoch[n] = epoch
       :: else -> call[n] = C_NONE
       fi }
  :: atomic { late_commit && late_node == n ->
       late_commit = false;
       if :: s == queued -> move(running); epoch++; owner = n; owner_lives = false :: else -> skip fi }
  od
}

/* ---- the run -------------------------------------------------------------------------------------------------------- */
proctype effects(byte n) {
end: do
  :: atomic { steps(n) && alive[n] && !told[n] && age[n] == 0 && !permitted[n] && !outside[n] -> permitted[n] = true }
  :: atomic { steps(n) && permitted[n] -> permitted[n] = false; outside[n] = true; acts(run_epoch[n]) }
  :: atomic { steps(n) && outside[n] -> outside[n] = false }
  od
}

proctype ends(byte n) {
end: do
  :: atomic { steps(n) && alive[n] && !permitted[n] && !outside[n] ->
       alive[n] = false; finish[n] = (told[n] -> 0 : run_epoch[n]); run_epoch[n] = 0 }
  od
}

proctype finishes_run(byte n) {
end: do
  :: atomic { reaches(n) && finish[n] > 0 ->
       if
#ifdef UNFENCED_FINISH
       :: true -> move(succeeded)
#else
       :: s == running && epoch == finish[n] -> move(succeeded)
#endif
       :: else -> skip
       fi; finish[n] = 0 }
  od
}

/* ---- the order to stop, and the answer ------------------------------------------------------------------------------- */
inline hear(n) {
  told[n] = true; fence[n] = epoch
}

proctype hears(byte n) {
end: do
  :: atomic { note[n] && reaches(n) -> note[n] = false;
       if :: run_held && run_holder == n && run_holder_lives -> hear(n) :: else -> skip fi }
#ifndef NO_POLL
  :: atomic { reaches(n) && !told[n] && run_held && run_holder == n && run_holder_lives -> hear(n) }
#endif
  od
}

proctype answers(byte n) {
end: do
  :: atomic { (reaches(n) && told[n] && !alive[n] && !permitted[n] && !outside[n]
#ifndef ANSWERS_WHILE_CLAIM_OUT
       && call[n] == C_NONE
#endif
       ) -> told[n] = false;
       if
       :: run_held && run_holder == n && run_holder_lives -> run_held = false; weigh(stopped)
       :: else -> skip
       fi }
  od
}

/* ---- the delivery on node 1 -------------------------------------------------------------------------------------------- */
active proctype courier() {
end: do
  :: atomic { reaches(1) && age[1] == 0 && delivery == D_WAITING -> delivery = D_PERMITTED }
  :: atomic { steps(1) && delivery == D_PERMITTED ->
       delivery = D_OUTSIDE; assert(!receipt || unproven); late = late || receipt }
  :: atomic { steps(1) && delivery == D_OUTSIDE -> delivery = D_CLOSED }
  :: atomic { reaches(1) && delivery == D_CLOSED ->
       delivery = D_GONE;
       if :: sent_held -> sent_held = false; weigh(finished_first) :: else -> skip fi }
  od
}

/* ---- mark: one transaction, holder rows for every holder ------------------------------------------------------------------ */
active proctype mark() {
  if
  :: true -> skip                                                    /* nobody asks */
  :: atomic { !leaving(s) && s != gone ->
    run_held = (s == running); run_holder = owner; run_holder_lives = owner_lives;
    if
    :: delivery == D_WAITING -> delivery = D_GONE
    :: delivery == D_PERMITTED || delivery == D_OUTSIDE || delivery == D_CLOSED || delivery == D_OF_THE_DEAD ->
#ifndef DELIVERY_NO_HOLDER
       sent_held = true
#endif
    :: else -> skip
    fi;
    if :: ghost[0] || ghost[1] -> unproven = true :: else -> skip fi;
    move(pending_delete); epoch++; marked = true;
    if
    :: run_held || sent_held -> if :: note[run_holder] = true :: skip fi         /* a NOTIFY may be lost */
    :: else -> erase_rows()
    fi }
  fi
}

/* ---- lease: beat, ladder, the others ---------------------------------------------------------------------------------------- */
proctype beat(byte n) {
end: do
  :: atomic { reaches(n) && !declared[n] && age[n] > 0 && age[n] < 2 -> age[n] = 0 }
  od
}

#define busy(n) (alive[n] || permitted[n] || outside[n] || call[n] != C_NONE || (n == 1 && (delivery == D_PERMITTED || delivery == D_OUTSIDE)))

/* Time cannot pass 13 s for a node that steps and still has something that acts: it has exited by then. */
proctype time(byte n) {
end: do
  :: atomic { age[n] == 0 && up[n] && (paused[n] || cut[n]) -> age[n] = 1 }
  :: atomic { age[n] < 2 && !up[n] -> age[n] = 2 }
  :: atomic { (age[n] == 1 && up[n] && (paused[n] || cut[n])
#ifndef NO_SELF_STOP
       && (paused[n] || !busy(n))
#endif
       ) -> age[n] = 2 }
  od
}

inline dies(n) {
  up[n] = false; paused[n] = false;
  if :: call[n] == C_SENT -> late_commit = true; late_node = n :: else -> skip fi;
  call[n] = C_NONE; call_epoch[n] = 0; told[n] = false; fence[n] = 0; note[n] = false; alive[n] = false; run_epoch[n] = 0;
  permitted[n] = false; outside[n] = false; finish[n] = 0;
  if :: owner == n -> owner_lives = false :: else -> skip fi;
  if :: run_holder == n -> run_holder_lives = false :: else -> skip fi;
  ghost_lives[n] = false;
  if
  :: n == 1 && (delivery == D_PERMITTED || delivery == D_OUTSIDE || delivery == D_CLOSED) -> delivery = D_OF_THE_DEAD
  :: else -> skip
  fi
}

/* Exit 75: the lease is over, or the others have called this life dead. */
proctype exits(byte n) {
end: do
#ifndef NO_SELF_STOP
  :: atomic { steps(n) && (age[n] >= 1 || declared[n]) -> dies(n) }
#else
  :: atomic { steps(n) && declared[n] -> dies(n) }
#endif
  od
}

/* A new life with the locks of the old one: what the old one held is proven dead. */
proctype starts(byte n) {
end: do
  :: atomic { !up[n] -> up[n] = true; age[n] = 0; declared[n] = false }
  :: atomic { reaches(n) && s == running && owner == n && !owner_lives -> move(queued) }
  :: atomic { reaches(n) && ghost[n] && !ghost_lives[n] -> ghost[n] = false }
  :: atomic { reaches(n) && run_held && run_holder == n && !run_holder_lives -> run_held = false; weigh(process_died) }
  :: atomic { reaches(n) && n == 1 && delivery == D_OF_THE_DEAD ->
       if :: sent_held -> delivery = D_GONE; sent_held = false; weigh(process_died)
          :: else -> delivery = (marked -> D_GONE : D_WAITING) fi }
  od
}

/* The janitor of the other node has watched the same beat stand still. */
proctype watches(byte n) {
#define it (1 - n)
end: do
#ifndef NOBODY_WATCHES
  :: atomic { (reaches(n) && age[n] == 0 && !declared[it]
#ifdef EXPIRY_BY_WALL_CLOCK
       && age[it] >= 1
#else
       && age[it] == 2
#endif
       ) -> declared[it] = true }
  :: atomic { reaches(n) && declared[it] && s == running && owner == it ->
#ifndef LOSE_FORGETS_THE_HOLDER
       ghost[it] = true; ghost_lives[it] = ghost_lives[it] || owner_lives;              /* it may be paused, not dead: it still holds the job */
#endif
       move(queued) }
  :: atomic { reaches(n) && declared[it] && run_held && run_holder == it -> run_held = false; weigh(lease_expired) }
  :: atomic { reaches(n) && declared[it] && it == 1 && sent_held -> sent_held = false; weigh(lease_expired) }
#endif
  :: atomic { false -> skip }
  od
}

/* ---- faults ----------------------------------------------------------------------------------------------------------------- */
active proctype chaos() {
  byte n;
end: do
  :: atomic { !receipt && faults < FAULTS && !ever_paused -> faults++; ever_paused = true;
       if :: n = 0 :: n = 1 fi;
       if :: up[n] -> paused[n] = true; if :: for_ever[n] = true :: skip fi :: else -> skip fi; n = 0 }
  :: atomic { !receipt && faults < FAULTS && !ever_died -> faults++; ever_died = true;
       if :: n = 0 :: n = 1 fi;
       if :: steps(n) -> dies(n) :: else -> skip fi; n = 0 }
  :: atomic { !receipt && faults < FAULTS && !ever_cut -> faults++; ever_cut = true;
       if :: n = 0 :: n = 1 fi;
       cut[n] = true;
       if :: call[n] != C_NONE -> call[n] = C_UNKNOWN; call_epoch[n] = 0 :: else -> skip fi; n = 0 }
  od
}

proctype heals(byte n) {
end: do
  :: atomic { paused[n] && !for_ever[n] -> paused[n] = false }
  :: atomic { cut[n] -> cut[n] = false }
  od
}

init { atomic {
  byte n = 0;
  do
  :: n < 2 -> run claims(n); run store_commits(n); run effects(n); run ends(n); run finishes_run(n); run hears(n);
     run answers(n); run beat(n); run time(n); run exits(n); run starts(n); run watches(n); run heals(n); n++
  :: else -> n = 0; break
  od } }

#define silence(n) (!alive[n] && !permitted[n] && !outside[n])

#define stays_gone (marked -> (s == pending_delete || s == delete_failed || s == gone))
#define one_run (ever_paused || !(alive[0] && alive[1]))
#define tells_the_truth ((receipt && !unproven) -> \
  (s == gone && !run_held && !sent_held && silence(0) && silence(1) && delivery != D_PERMITTED && delivery != D_OUTSIDE))

ltl honest { [] tells_the_truth }
ltl no_comeback { [] stays_gone }
ltl once { [] one_run }
ltl safe { [] (tells_the_truth && one_run && stays_gone) }     /* the three in one run */
ltl silent { [] !late }
ltl finishes { [] (marked -> <> receipt) }
ltl finishes_claims { [] (s == running -> <> (s != running || alive[owner])) }
