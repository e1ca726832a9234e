/* Acknowledge, replicate, promote. A delete is signed `replicated` only when a standby holds its commit at that moment;
   such a delete never comes back. One that is signed `local` may, and then it is seen and told before anything runs.

   One primary, one standby, one delete, and the loss of the primary at any time. The commit waits for the standby
   (synchronous), and may be let go by a cancel (with a warning), by an emptied list of standbys (without one), or by a
   crash of the server (the commit is then simply there).

   Mutations are -D flags; run.sh demands that each of them is caught. */

bool synchronous = true;                  /* what the setting said when the process started */
bool on_primary = false, on_standby = false;   /* the erase, in each one's log */
bool standby_there = true, promoted = false;
bool visible = false;                     /* readers of the primary see the erase */
bool known_before = false;                /* the server's own memory of what it was told */

#define W_NONE 0
#define W_WAITS 1
#define W_OVER 2
#define W_WARNED 3                        /* over, with a warning */
#define W_LOST 4                          /* the connection went: nobody knows */
byte waits = W_NONE;

#define NOT_SIGNED 0
#define LOCAL 1
#define REPLICATED 2
byte says = NOT_SIGNED;
bool told = false, runs = false, history_lost = false, frozen = false;

/* ---- the two servers ------------------------------------------------------------------------------------------- */
active proctype primary() {
end: do
  :: atomic { !promoted && !on_primary && waits == W_NONE -> on_primary = true; waits = W_WAITS;
       if :: !synchronous -> visible = true; waits = W_OVER :: else -> skip fi }
  :: atomic { !promoted && waits == W_WAITS && on_standby -> visible = true; waits = W_OVER }
  :: atomic { !promoted && waits == W_WAITS -> visible = true; waits = W_WARNED }           /* cancelled */
  :: atomic { !promoted && waits == W_WAITS -> visible = true; waits = W_OVER }             /* the names were emptied: no word */
  :: atomic { !promoted && waits == W_WAITS -> visible = true; waits = W_LOST }             /* the server crashed and came back */
  od
}

active proctype replication() {
end: do
  :: atomic { standby_there && !promoted && on_primary && !on_standby -> on_standby = true }
  :: atomic { standby_there && !promoted -> standby_there = false }
  :: atomic { !standby_there && !promoted -> standby_there = true }
  od
}

active proctype how() {
  if :: atomic { waits == W_NONE -> synchronous = false } :: skip fi
}

active proctype disaster() {
  atomic { on_primary -> promoted = true; standby_there = false;
    history_lost = !on_standby; visible = on_standby }
}

/* ---- the process -------------------------------------------------------------------------------------------------- */
#define now_replicated (on_standby && (standby_there || promoted))
inline sign(r) { says = (r -> REPLICATED : LOCAL) }

active proctype deleter() {
end: do
  :: atomic { says == NOT_SIGNED && !promoted && (waits == W_OVER || waits == W_WARNED) ->
#ifdef SIGN_BY_THE_SETTING
       sign(synchronous)
#elif defined(SIGN_BY_NO_WARNING)
       sign(synchronous && waits == W_OVER)
#else
       sign(now_replicated)                                     /* some standby's flush has reached this commit */
#endif
       ; known_before = true }
  :: atomic { says == NOT_SIGNED && !promoted && visible && waits == W_LOST ->             /* found by looking */
#ifdef SIGN_FROM_A_READ
       sign(synchronous)
#else
       if
       :: now_replicated -> sign(true)                          /* a fence was committed first, and a standby has it */
       :: !synchronous -> sign(false)
       :: else -> skip                                          /* the fence waits, and so does the answer */
       fi
#endif
       ; known_before = known_before || says != NOT_SIGNED }
  od
}

/* Connected to the promoted one: is it what was acknowledged? */
active proctype process() {
end: do
#ifndef HISTORY_NOT_COMPARED
  :: atomic { promoted && history_lost && known_before && !told -> told = true; frozen = true }
  :: atomic { promoted && history_lost && frozen -> frozen = false; history_lost = false; on_standby = true }  /* erased again, and a person says go on */
  :: atomic { promoted && history_lost && !known_before && !runs -> runs = true }            /* nothing was promised */
#else
  :: atomic { promoted && history_lost && !runs -> runs = true }
#endif
  od
}

ltl stays { [] ((says == REPLICATED && promoted) -> on_standby) }
ltl told_first { [] (!(runs && known_before)) }
