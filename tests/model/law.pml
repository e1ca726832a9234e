/* The law, as every model here reads it: the states and legal moves of a job, and what each verdict is worth. They come
   from runtime/spec, so that no model can speak of other ones. A model that uses `move` or `born` has a variable s. */

mtype:st = {
#define JOB_STATE(name, kind, meaning) name,
#include "job_machine.def"
#undef JOB_STATE
  gone }

mtype:verdict = {
#define DELETE_VERDICT(name, proof, sentence) name,
#include "delete_protocol.def"
#undef DELETE_VERDICT
  none }

#define leaving(x) (x == pending_delete || x == delete_failed)

inline move(b) {
  assert(false
#define JOB_MOVE(event, from, to, by) || (s == from && b == to)
#include "job_machine.def"
#undef JOB_MOVE
  );
  s = b
}

inline born(b) {
  assert(false
#define JOB_BIRTH(event, state, by) || b == state
#include "job_machine.def"
#undef JOB_BIRTH
  );
  s = b
}

#define AS_proven true
#define AS_unproven false
#define AS_pending false
inline prove(v, p) {
  p = (false
#define DELETE_VERDICT(name, proof, sentence) || (v == name && AS_##proof)
#include "delete_protocol.def"
#undef DELETE_VERDICT
  )
}
