/* Two connections that write. A commit of one may be known to the store before the Clerk hears of it, and the other's
   come back first. So a mark goes alone, and what a reader saw is passed on only from between two commits.

   One job; a claim goes by either hand. A mark comes from this node, or from another one as an order that is read.
   The census is a list of what the store has running here: what it lists and nobody knows is handed over.

   Mutations are -D flags; run.sh demands that each of them is caught. */

#include "law.pml"

mtype:st s = queued;
byte epoch = 0, dead_epoch = 0;
bool held = false, receipt = false, twice = false;

#define FREE 0
#define CLAIM_GIVEN 1                     /* on its way to the store */
#define CLAIM_DONE 2                      /* committed; the Clerk has not heard */
#define MARK_GIVEN 3
#define MARK_DONE 4
#define NOTHING_DONE 5
byte hand[2] = FREE; byte brings[2] = 0;  /* the epoch that a claim brings */
#define idle (hand[0] == FREE && hand[1] == FREE)

mtype:letter = { m_claimed, m_marked, m_census }
chan line = [4] of { mtype:letter, byte };
bool order_read = false; byte order = 0;
bool wish = false, wanted = true, census_due = true;
byte acting = 0, fence = 0, again = 0;       /* the epoch that runs; a hand-over that waits to be written */
byte verdict_out = 0;

proctype clerk_gives(byte h) {
end: do
  :: atomic { hand[h] == FREE && s == queued && epoch < 3 && !wish &&
#ifdef MARK_BESIDE_A_CLAIM
       true
#else
       hand[1 - h] != MARK_GIVEN && hand[1 - h] != MARK_DONE
#endif
       -> hand[h] = CLAIM_GIVEN }
  :: atomic { h == 0 && wish && hand[0] == FREE &&
#ifdef MARK_BESIDE_A_CLAIM
       true
#else
       idle
#endif
       -> wish = false; hand[0] = MARK_GIVEN }
  od
}

proctype store(byte h) {
end: do
  :: atomic { hand[h] == CLAIM_GIVEN ->
       if :: s == queued -> move(running); epoch++; brings[h] = epoch; hand[h] = CLAIM_DONE
          :: else -> hand[h] = NOTHING_DONE fi }
  :: atomic { hand[h] == MARK_GIVEN ->
       if
       :: s == running -> move(pending_delete); held = true; brings[h] = epoch; hand[h] = MARK_DONE
       :: s == queued -> move(pending_delete); move(gone); receipt = true; dead_epoch = epoch; hand[h] = NOTHING_DONE
       :: else -> hand[h] = NOTHING_DONE
       fi }
  od
}

proctype clerk_hears(byte h) {
end: do
  :: atomic { hand[h] == CLAIM_DONE && nfull(line) -> line ! m_claimed, brings[h]; brings[h] = 0; hand[h] = FREE }
  :: atomic { hand[h] == MARK_DONE && nfull(line) -> line ! m_marked, brings[h]; brings[h] = 0; hand[h] = FREE }
  :: atomic { hand[h] == NOTHING_DONE -> hand[h] = FREE }
  od
}

active proctype asks() {
end: do
  :: atomic { wanted -> wanted = false; wish = true }
  :: atomic { wanted && (s == running || s == queued) -> wanted = false;              /* another node marks */
       if :: s == running -> move(pending_delete); held = true
          :: else -> move(pending_delete); move(gone); receipt = true; dead_epoch = epoch fi }
  od
}

active proctype registrar() {
end: do
  :: atomic { held && !order_read && fence < epoch && verdict_out == 0 -> order_read = true; order = epoch }
  :: atomic { (order_read && nfull(line)
#ifndef ORDERS_AT_ONCE
       && idle
#endif
       ) -> order_read = false; line ! m_marked, order; order = 0 }
  :: atomic { (census_due && nfull(line)
#ifndef CENSUS_BESIDE_A_CLAIM
       && idle
#endif
       ) -> census_due = false; line ! m_census, (s == running -> epoch : 0) }
  od
}

byte n = 0;                               /* scratch of one atomic step */
active proctype foreman() {
end: do
  :: atomic { line ? m_claimed, n ->
       if
#ifndef NO_FENCE
       :: n <= fence -> skip
#endif
       :: else -> twice = twice || acting > 0; acting = n; assert(n > dead_epoch || !receipt)
       fi; n = 0 }
  :: atomic { line ? m_marked, n ->
       fence = (n > fence -> n : fence); verdict_out = n; acting = (acting == n -> 0 : acting); n = 0 }
  :: atomic { line ? m_census, n -> again = (n > 0 && n != acting && n > fence -> n : 0); n = 0 }
  :: atomic { acting > 0 && s == running -> acting = 0; move(succeeded) }
  od
}

active proctype clerk_writes() {
end: do
  :: atomic { verdict_out > 0 ->
       if :: held && epoch == verdict_out -> held = false; move(gone); receipt = true; dead_epoch = epoch :: else -> skip fi;
       verdict_out = 0; fence = 0 }                                        /* erased: nobody asks for the fence */
  :: atomic { again > 0 -> if :: s == running && epoch == again -> move(queued) :: else -> skip fi; again = 0 }
  od
}

init { atomic { run clerk_gives(0); run clerk_gives(1); run store(0); run store(1); run clerk_hears(0); run clerk_hears(1) } }

ltl honest { [] (receipt -> (s == gone && acting == 0)) }
ltl once { [] !twice }
