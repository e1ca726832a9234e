/* The delete protocol in one process, with one job and a pool of one permit.

   The states and the legal moves come from runtime/spec, so the model cannot speak of other ones. Each actor of
   the product is one or more processes here; a process per guard, so that weak fairness means what it says.
   Nothing is kept in local variables: what is volatile is listed below, and a crash wipes exactly that.

   A claim is two steps (its commit, and its arrival at the Foreman), because a model that joins them cannot see a
   claimed job start after the reply. An effect is four (names resolved, permit, outside, closed) for the same reason.

   Mutations are -D flags; run.sh demands that each of them is caught. */

#define CAP 1
#ifndef CRASHES
#define CRASHES 2
#endif

#include "law.pml"

mtype:letter = { m_claimed, m_nothing, m_marked, m_cancel, m_ack }

/* ---- durable: what the store holds ------------------------------------------------------------------------- */
mtype:st s = scheduled;
byte epoch = 0;          /* + 1 at claim, mark and restore */
bool held = false;       /* a holder row without verdict */
bool want = false;       /* the wish to cancel */
bool receipt = false;    /* written by the erase; taken back by nothing but a restore */
bool marked = false;
byte dead_epoch = 0;     /* the tombstone: no run of this epoch or less may act again */
bool restored = false, revived = false, cancel_asked = false, failed_once = false;

/* ---- outside: outlives a crash of the process -------------------------------------------------------------- */
bool orphan = false;     /* children of a dead server that its keeper has not yet reaped */
byte crashes = 0;

/* ---- volatile: what a crash wipes -------------------------------------------------------------------------- */
bool up = true;
byte permits = CAP;
bool reserved = false;   /* a permit that travels with a claim */
bool call = false;       /* a claim waits for the Clerk */
chan line = [4] of { mtype:letter, byte };       /* Clerk to Foreman, in commit order */
byte row = 0;            /* NO_ORDER: a claimed row on its way through the Dispatcher */

#define F_NONE 0
#define F_CLAIMED 1      /* known, not started */
#define F_RUNNING 2
#define F_STOPPING 3
#define F_ENDED 4        /* down, its finish not yet acknowledged */
byte entry = F_NONE;     /* the Foreman's line for the job */
byte run_epoch = 0;
bool slot = false;       /* the permit is the run's */
byte fence = 0;          /* starts of this epoch or less are dropped */
byte asked = 0;          /* a stop waits for the Foreman's answer */
mtype:verdict ended_as = not_running;
mtype:verdict said = none;
byte said_for = 0; bool proof = false;
bool finish_out = false; byte finish_epoch = 0;

bool alive = false, stop_sent = false, stopping = false, returned = false, is_down = false;
#define E_NONE 0
#define E_RESOLVING 1    /* holds no permit */
#define E_PERMITTED 2    /* counted by the gate, not yet outside */
#define E_OUTSIDE 3
#define E_STALE 4        /* a name is still being resolved for a run that is down */
byte effect = E_NONE;

byte pc[2] = 0;          /* callers: 0 not yet, 1 marked, 2 waits, 3 may answer, 4 done */
byte my[2] = 0;          /* the epoch of the mark that they follow */

inline answer(v, mark_epoch) {
  said = v; said_for = mark_epoch;
  prove(v, proof)
}

/* ---- the store's transactions ------------------------------------------------------------------------------ */
inline erase_rows() {
  move(gone); held = false; receipt = true; dead_epoch = epoch
}

/* `follows` is the epoch of the mark that the caller carries: it stands for delete_id. */
inline commit_erase(follows) {
  if
#ifdef SECOND_DELETER_BLIND
  :: true -> erase_rows()
#elif defined(RESTORE_NOT_FENCED)
  :: s != gone -> erase_rows()
#else
  :: s == pending_delete && epoch == follows -> erase_rows()
#endif
  :: else -> skip                                  /* matches no row: somebody was quicker, a normal case */
  fi
}

inline commit_mark(i) {
  if
  :: s == gone -> pc[i] = 3
  :: leaving(s) -> my[i] = epoch; pc[i] = 1        /* the second caller joins the first */
  :: else ->
     held = (s == running);
     move(pending_delete); epoch++; marked = true; want = false; my[i] = epoch;
     line ! m_marked, epoch;                       /* before anyone is answered */
     if
     :: held -> pc[i] = 1
     :: else -> erase_rows(); pc[i] = 3            /* nobody holds it: the same transaction */
     fi
  fi
}

/* ---- Dispatcher and Clerk: permit first, then claim -------------------------------------------------------- */
active proctype dispatcher() {
end: do
  :: atomic { up && permits > 0 && !reserved && s == queued -> permits--; reserved = true; call = true }
  od
}

active proctype clerk_claims() {
end: do
  :: atomic { call && nfull(line) ->
       call = false;
       if
       :: s == queued -> move(running); epoch++;
#if defined(NO_ORDER)
          row = epoch
#else
          line ! m_claimed, epoch
#endif
       :: else -> line ! m_nothing, 0
       fi }
  od
}

active proctype clerk_finishes() {
end: do
  :: atomic { finish_out && nfull(line) ->
       finish_out = false;
       if
#ifdef UNFENCED_FINISH
       :: true -> if :: want -> move(cancelled) :: else -> move(succeeded) fi
#else
       :: s == running && epoch == finish_epoch ->
          if :: want -> move(cancelled) :: else -> move(succeeded) fi;
          want = false
       :: else -> skip                             /* lost to a mark: a normal case */
#endif
       fi;
       line ! m_ack, finish_epoch; finish_epoch = 0 }
  od
}

/* ---- Foreman ------------------------------------------------------------------------------------------------ */
/* Values nobody reads again are zeroed: it keeps the number of states down. */
inline forget_run() {
  if :: effect == E_NONE -> run_epoch = 0 :: else -> skip fi
}

inline take(n) {
  reserved = false;
  if
#ifndef NO_FENCE
  :: n <= fence -> permits++; ended_as = not_started
#endif
  :: else -> entry = F_CLAIMED; run_epoch = n; slot = true; ended_as = not_running
  fi
}

inline stop_run() {
  if
  :: entry == F_CLAIMED -> entry = F_NONE; slot = false; permits++; ended_as = not_started; run_epoch = 0
  :: entry == F_RUNNING -> entry = F_STOPPING; stop_sent = true;
#ifdef RELEASE_ON_STOP
     slot = false; permits++
#endif
  :: entry == F_ENDED -> ended_as = finished_first
  :: else -> skip
  fi
}

byte n = 0;              /* scratch of one atomic step, never read across steps */
active proctype foreman_hears() {
end: do
  :: atomic { line ? m_claimed, n -> take(n); n = 0 }
  :: atomic { line ? m_nothing, n -> reserved = false; permits++; n = 0 }
  :: atomic { line ? m_marked, n -> fence = (n > fence -> n : fence); stop_run(); n = 0 }
  :: atomic { line ? m_cancel, n ->
       if :: entry != F_NONE && run_epoch == n && entry != F_ENDED && entry != F_CLAIMED -> stop_run()
          :: entry == F_CLAIMED && run_epoch == n -> stop_run(); entry = F_ENDED; finish_out = true; finish_epoch = n
          :: else -> skip fi; n = 0 }
  :: atomic { line ? m_ack, n -> if :: entry == F_ENDED && run_epoch == n -> entry = F_NONE; forget_run() :: else -> skip fi; n = 0 }
#ifdef NO_ORDER
  :: atomic { row > 0 && entry == F_NONE -> take(row); row = 0 }
#endif
  od
}

active proctype foreman_starts() {
end: do
  :: atomic { entry == F_CLAIMED ->
       entry = F_RUNNING; alive = true;
       assert(run_epoch > dead_epoch) }            /* nothing starts after the receipt */
  od
}

/* The answer to a stop. It waits until the Foreman's own line has brought the mark: then every claim that was
   committed before it has arrived too. */
active proctype foreman_answers() {
end: do
  :: atomic { (asked > 0
#ifndef NO_ORDER
       && fence >= asked
#endif
       && (entry == F_NONE || entry == F_ENDED)) ->
#if defined(NO_ORDER) && !defined(NO_FENCE)
       fence = (asked > fence -> asked : fence);
#endif
       answer((entry == F_ENDED -> finished_first : ended_as), asked); asked = 0; ended_as = not_running }
#ifdef NO_ORDER
  :: atomic { asked > 0 && (entry == F_CLAIMED || entry == F_RUNNING) -> stop_run() }
#endif
  :: atomic { asked > 0 && entry == F_STOPPING && said != stuck -> answer(stuck, asked) }
#ifdef ERASE_BEFORE_DOWN
  :: atomic { asked > 0 && entry == F_STOPPING -> answer(stopped, asked); asked = 0 }
#endif
  od
}

active proctype foreman_forgets() {
end: do
  :: atomic { (fence > 0 && s == gone && asked == 0 && empty(line)
#ifndef FENCE_FORGOTTEN_EARLY
       && !reserved
#endif
       ) -> fence = 0 }
  od
}

active proctype foreman_releases() {
end: do
  :: atomic { is_down ->
       is_down = false;
#ifndef RELEASE_ON_STOP
       slot = false; permits++;
#endif
#ifdef SLOT_FREED_TWICE
       if :: entry == F_STOPPING && permits == CAP -> permits++ :: else -> skip fi;
#endif
       if
       :: fence >= run_epoch && entry == F_STOPPING -> entry = F_NONE; ended_as = stopped; forget_run()
       :: else -> entry = F_ENDED; finish_out = true; finish_epoch = run_epoch
       fi }
  od
}

/* ---- the run: its frame, its actor, its effects -------------------------------------------------------------- */
active proctype frame() {
end: do
  :: atomic { alive && !stopping && !returned && effect == E_NONE -> effect = E_RESOLVING }
  :: atomic { alive && !stopping && !returned -> returned = true }      /* an effect may still be in flight */
  od
}

active proctype actor_stops() {
end: do
  :: atomic { alive && stop_sent && !stopping -> stopping = true }      /* gate closed, frame destroyed */
  od
}

active proctype actor_quits() {
end: do
  :: atomic { (alive && (stopping || returned)
#ifndef NO_DRAIN
       && (effect == E_NONE || effect == E_RESOLVING)
#endif
       ) -> if :: effect == E_RESOLVING -> effect = E_STALE :: else -> skip fi;
       alive = false; is_down = true; stop_sent = false; stopping = false; returned = false }
  od
}

active proctype effects() {
end: do
  :: atomic { effect == E_RESOLVING ->             /* the name is there; the actor decides whether it may be used */
#ifdef PERMIT_IGNORES_FENCE
       effect = E_PERMITTED }
#else
       effect = (alive && !stopping && !returned -> E_PERMITTED : E_NONE) }
#endif
  :: atomic { effect == E_STALE ->                 /* an id that nobody knows: counted and dropped */
#ifdef PERMIT_IGNORES_FENCE
       effect = E_PERMITTED }
#else
       effect = E_NONE }
#endif
  :: atomic { effect == E_PERMITTED -> effect = E_OUTSIDE; assert(run_epoch > dead_epoch) }
  :: atomic { effect == E_OUTSIDE -> effect = E_NONE }
  od
}

/* ---- Deleter: two callers race, the janitor finishes what they leave ------------------------------------------ */
proctype caller(byte i) {
end: do
  :: atomic { up && pc[i] == 0 && nfull(line) && (i == 0 || pc[0] > 0) -> commit_mark(i) }    /* they are alike */
  :: atomic { pc[i] == 1 -> asked = (s == pending_delete && epoch == my[i] && said_for != epoch -> my[i] : asked);
       pc[i] = 2 }
#ifdef REPLY_BEFORE_COMMIT
  :: atomic { pc[i] == 2 && said_for == my[i] && said != none && said != stuck -> pc[i] = 3 }
#endif
  :: atomic { pc[i] == 2 && said_for == my[i] && proof -> commit_erase(my[i]);
       pc[i] = (s == gone || epoch != my[i] -> 3 : 4) }    /* delete_failed meanwhile: nothing was erased, 202 */
#ifdef STUCK_IS_PROOF
  :: atomic { pc[i] == 2 && said_for == my[i] && said == stuck -> commit_erase(my[i]); pc[i] = 3 }
#endif
  :: atomic { pc[i] == 2 && said_for == my[i] && said == stuck -> pc[i] = 4; my[i] = 0 }         /* 202 */
  :: atomic { pc[i] == 2 && (s == gone || epoch != my[i]) -> pc[i] = 3 }
  :: atomic { pc[i] == 3 -> assert(s == gone || epoch > my[i]); pc[i] = 4; my[i] = 0 }           /* the reply */
  od
}

active proctype janitor() {
end: do
#ifndef NO_RECOVERY
  :: atomic { up && s == pending_delete && asked == 0 && said_for != epoch -> asked = epoch }
  :: atomic { up && s == pending_delete && said_for == epoch && proof -> commit_erase(epoch) }
#endif
  :: atomic { up && s == pending_delete && said == stuck && !failed_once -> failed_once = true; move(delete_failed) }
  :: atomic { up && s == delete_failed -> move(pending_delete) }
  od
}

/* ---- people and time -------------------------------------------------------------------------------------------- */
active proctype clock() {
  atomic { up && s == scheduled -> move(queued) }
}

active proctype person() {
end: do
  :: atomic { up && !cancel_asked && nfull(line) && (s == queued || s == running) ->
       cancel_asked = true;
       if
       :: s == queued -> move(cancelled)
       :: else -> line ! m_cancel, epoch;
#ifdef FINAL_WHILE_HELD
          move(cancelled)
#else
          want = true                              /* only a wish until the run is down */
#endif
       fi }
  :: atomic { up && s == cancelled && !revived -> revived = true; move(queued) }
  :: atomic { up && s == gone && !restored ->
       restored = true; born(queued); epoch++; receipt = false; marked = false }
  od
}

/* ---- crash and recovery ------------------------------------------------------------------------------------------- */
active proctype chaos() {
end: do
  :: atomic { up && crashes < CRASHES ->
       crashes++; up = false;
       if :: effect == E_OUTSIDE -> orphan = true :: true -> skip fi;    /* a child process, or only a socket */
       effect = E_NONE; permits = CAP; reserved = false; call = false; row = 0;
       do :: line ? _, _ -> skip :: empty(line) -> break od;
       entry = F_NONE; forget_run(); slot = false; fence = 0; asked = 0; ended_as = not_running; said = none;
       said_for = 0; proof = false; finish_out = false; finish_epoch = 0;
       alive = false; stop_sent = false; stopping = false; returned = false; is_down = false;
       if :: pc[0] > 0 -> pc[0] = 4; my[0] = 0 :: else -> skip fi;                  /* their connections are gone */
       if :: pc[1] > 0 -> pc[1] = 4; my[1] = 0 :: else -> skip fi }
  od
}

active proctype keeper() {
end: do
  :: atomic { orphan -> orphan = false }
  od
}

active proctype recovery() {
end: do
  :: atomic { (!up
#ifndef NO_KEEPER_WAIT
       && !orphan
#endif
       ) -> up = true;
       if
       :: s == running && want -> move(cancelled); want = false
       :: s == running && !want -> move(queued)
#ifndef NO_RECOVERY
       :: leaving(s) -> fence = epoch; answer(process_died, epoch)
#endif
       :: else -> skip
       fi }
  od
}

init { run caller(0); run caller(1) }

#define quiet (s == gone && !held && !alive && !is_down && !slot && !orphan && \
               effect != E_PERMITTED && effect != E_OUTSIDE)

#define adds_up ((permits + reserved + slot == CAP) && (alive -> slot) && (is_down -> slot))
#define stays_gone (marked -> (s == pending_delete || s == delete_failed || s == gone))
#define tells_the_truth (receipt -> quiet)

ltl capacity { [] adds_up }
ltl no_comeback { [] stays_gone }
ltl honest { [] tells_the_truth }
ltl safe { [] (adds_up && stays_gone && tells_the_truth) }     /* the three in one run */
ltl finishes { [] (marked -> <> receipt) }
