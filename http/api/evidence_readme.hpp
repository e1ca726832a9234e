// What the folder says of itself, to somebody who has never heard of quell.
#pragma once

#include <string_view>

namespace quell::http {

inline constexpr std::string_view evidence_readme = R"~(Evidence of deletions
=====================

What was deleted in a span of time, by whom, and what proves it. Everything here can be checked
with openssl alone; nothing of the program that wrote it is needed.

  manifest.json   what is in this folder: the SHA-256 of each file, the span, where the audit ends
  manifest.sig    an Ed25519 signature of the bytes of manifest.json
  public.pem      the public key; compare it with one that came to you another way
                  (GET /api/v1/system shows it)
  audit.jsonl     the audit log of the span, a row a line, chained by its hashes
  receipts/       for each delete call what the server signed: ID.json, and its signature ID.sig
  report.json     the sums by who asked; report.csv is the same as a table
  SHA256SUMS      the same sums once more, for sha256sum

1. The manifest is what the server signed:

     openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in manifest.json -sigfile manifest.sig

2. No file was changed, swapped or left out. SHA256SUMS is no proof by itself, the manifest is:
   each file's sum stands there under "files".

     openssl dgst -sha256 audit.jsonl report.json receipts/*

3. Each receipt is what the server signed when the delete was done (by the same key, unless the
   manifest lists it under "signed_by_another_node"), and its "delete_id" is the name of its file:

     openssl pkeyutl -verify -pubin -inkey public.pem -rawin \
       -in receipts/ID.json -sigfile receipts/ID.sig

4. The audit log is whole. Its rows are chained: with u64(x) a number as 8 bytes, the largest
   first, and text(x) the number of its bytes as u64 and then its bytes in UTF-8,

     entry = SHA256("quell audit entry 1\n" u64(no) u64(at_ms) text(who) text(what) text(ref)
                    text(detail "\n" digest))
     hash  = SHA256("quell audit chain 1\n" hash-of-the-row-before u64(no) entry)

   The first row builds on "hash_before" of the manifest, the last one's hash is its "hash_last".
   A row that was changed, removed or slipped in has a wrong hash there; a tail that was cut does
   not reach "hash_last". A row "delete" names its call in "ref", and its "digest" is the SHA-256
   of the sorted lines "job state verdict\n" of the jobs that this row erased.

Numbers of rows may be missing: a transaction that failed takes its number with it. The chain
shows that none was removed.
)~";

}  // namespace quell::http
