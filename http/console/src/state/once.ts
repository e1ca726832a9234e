// A word that makes a call one call: sent again with the same body it is answered with what the first one did.
import { useRef } from "preact/hooks";

// Over plain HTTP browsers give pages no randomUUID.
const fresh = (): string => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Holds for the dialog, and changes with what it would send. */
export function useOnce(): (body: unknown) => string {
  const kept = useRef({ of: "", key: "" });
  return (body) => {
    const of = JSON.stringify(body);
    if (kept.current.of !== of) kept.current = { of, key: fresh() };
    return kept.current.key;
  };
}
