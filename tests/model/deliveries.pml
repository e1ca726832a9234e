/* A delivery of a job that is deleted: its claim is a commit and an arrival, as a run's is, and the courier hears of the
   mark on the same line. Whoever tells him what a reader saw goes past that line.

   The courier's fence is the second belt: a delivery that was asked for is not begun any more.
   A claim of unknown outcome brings no letter; the store is asked what flies here, and what nobody knows is given back.

   Mutations are -D flags; run.sh demands that each of them is caught. */

#include "law.pml"

#ifndef CLAIMS
#define CLAIMS 3
#endif

/* ---- the store ------------------------------------------------------------------------------------------------ */
mtype:st s = succeeded;
#define P_WAITING 0
#define P_FLYING 1
#define P_GONE 2
byte place = P_WAITING;
bool held = false;                        /* the holder row of the delivery, without a verdict */
bool receipt = false;
byte claims = 0, life = 1, row_life = 0;

/* ---- the process ------------------------------------------------------------------------------------------------- */
mtype:letter = { m_claimed, m_marked, m_flying }
chan line = [4] of { mtype:letter };      /* Clerk to Courier, in commit order */
bool aside_marked = false;                /* a reader's word on its way past the line */
bool aside_flying = false;
bool calling = false;                     /* a claim waits for the Clerk */
bool in_doubt = false;                    /* a claim's outcome is not known */
bool ask_flying = false;
bool known = false, acts = false, fence = false, told = false;
bool give_back = false, verdict_out = false, end_out = false;
byte crashes = 0;

inline erase_last() {
  if :: s == pending_delete && !held -> move(gone); receipt = true; place = P_GONE :: else -> skip fi
}

active proctype clerk_claims() {
end: do
  :: atomic { !calling && claims < CLAIMS && place == P_WAITING && !in_doubt -> calling = true; claims++ }
  :: atomic { calling && nfull(line) -> calling = false;
       if
       :: place == P_WAITING -> place = P_FLYING; row_life = life; line ! m_claimed
       :: place == P_WAITING -> place = P_FLYING; row_life = life; in_doubt = true      /* committed, and the reply was lost */
       :: place == P_WAITING -> in_doubt = true                                         /* or never committed */
       :: else -> skip
       fi }
  /* The next claim comes back: only then is the store asked. It may have brought a delivery itself. */
  :: atomic { in_doubt && nfull(line) -> in_doubt = false;
       if :: place == P_WAITING && claims < CLAIMS -> claims++; place = P_FLYING; row_life = life; line ! m_claimed :: else -> skip fi;
       ask_flying = true }
  od
}

active proctype reader_lists() {
end: do
#ifdef GIVE_BACK_PAST_THE_LINE
  :: atomic { ask_flying -> ask_flying = false; aside_flying = (place == P_FLYING && row_life == life) }
#else
  :: atomic { ask_flying && nfull(line) -> ask_flying = false;
       if :: place == P_FLYING && row_life == life -> line ! m_flying :: else -> skip fi }
#endif
  od
}

active proctype clerk_marks() {
end: do
  :: atomic { s == succeeded && nfull(line) ->
       move(pending_delete);
       if
       :: place == P_FLYING -> held = true; line ! m_marked
       :: else -> place = P_GONE; erase_last()
       fi }
  od
}

active proctype janitor() {
end: do
#ifdef PAST_THE_LINE
  :: atomic { held && row_life == life && !aside_marked && !told -> aside_marked = true }
#else
  :: atomic { held && row_life == life && !told && empty(line) -> line ! m_marked }
#endif
  :: atomic { held && row_life < life -> held = false; erase_last() }     /* of a life that is proven dead */
  :: atomic { !held && place == P_FLYING && row_life < life && s == succeeded -> place = P_WAITING }
  od
}

active proctype clerk_writes() {
end: do
  :: atomic { verdict_out -> verdict_out = false;
       if :: held && row_life == life -> held = false; erase_last() :: else -> skip fi
#ifdef FENCE_FORGOTTEN_EARLY
       ; fence = false
#endif
     }
#ifndef FENCE_FORGOTTEN_EARLY
  :: atomic { fence && s == gone && empty(line) && !calling -> fence = false; told = false }
#endif
  :: atomic { end_out -> end_out = false; known = false;
       if :: place == P_FLYING && !held && row_life == life -> place = P_GONE :: else -> skip fi }
  :: atomic { give_back -> give_back = false;
       if :: place == P_FLYING && !held && row_life == life -> place = P_WAITING :: else -> skip fi }
  od
}

/* ---- Courier ------------------------------------------------------------------------------------------------------ */
inline hear_mark() {
  told = true;
#ifndef NO_FENCE
  fence = true;
#endif
  if
  :: acts -> skip                                               /* aborted; the verdict goes with its end */
  :: else -> known = false; verdict_out = true
  fi
}

active proctype courier() {
end: do
  :: atomic { line ? m_claimed ->
       if :: fence -> verdict_out = true :: else -> known = true; acts = true; assert(!receipt) fi }
  :: atomic { line ? m_marked -> hear_mark() }
  :: atomic { aside_marked -> aside_marked = false; hear_mark() }
  :: atomic { line ? m_flying -> give_back = !known && !told }
  :: atomic { aside_flying -> aside_flying = false; give_back = !known && !told }
  :: atomic { acts ->
       acts = false;
       if :: told -> known = false; verdict_out = true :: else -> end_out = true fi }
  od
}

active proctype request() {
end: do
  :: atomic { acts -> assert(!receipt) }                        /* a part of it leaves */
  od
}

active proctype chaos() {
  atomic { crashes == 0 -> crashes = 1; life++;
    do :: line ? _ -> skip :: empty(line) -> break od;
    aside_marked = false; aside_flying = false; calling = false; in_doubt = false; ask_flying = false;
    known = false; acts = false; fence = false; told = false; give_back = false; verdict_out = false; end_out = false }
}

ltl honest { [] (receipt -> (s == gone && !held && !acts)) }
ltl finishes { [] (s == pending_delete -> <> receipt) }
