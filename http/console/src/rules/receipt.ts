// Whether a receipt says what the server signed, checked here and not by asking the server again.
import type { Receipt } from "../api.ts";

export type Verdict =
  | { kind: "holds"; keyid: string }
  | { kind: "broken"; why: string }
  | { kind: "unable"; why: string };

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(new ArrayBuffer(binary.length));
  for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

export function keyBytes(pem: string): Uint8Array<ArrayBuffer> {
  return fromBase64(pem.replace(/-----[A-Z ]+-----/g, "").replace(/\s+/g, ""));
}

/** What was signed, as JSON; nothing when it is none. */
export function payloadOf(receipt: Receipt): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(fromBase64(receipt.payload))) as unknown;
  } catch {
    return null;
  }
}

export async function check(receipt: Receipt, publicKeyPem: string, subtle: SubtleCrypto | undefined): Promise<Verdict> {
  const signature = receipt.signatures[0];
  if (!signature) return { kind: "broken", why: "It carries no signature." };
  if (!subtle) return { kind: "unable", why: "This browser gives pages no cryptography here; quell's guide for curl shows the check with openssl." };
  let key: CryptoKey;
  try {
    key = await subtle.importKey("spki", keyBytes(publicKeyPem), { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return { kind: "unable", why: "This browser knows no Ed25519; quell's guide for curl shows the check with openssl." };
  }
  try {
    const holds = await subtle.verify({ name: "Ed25519" }, key, fromBase64(signature.sig), fromBase64(receipt.payload));
    return holds ? { kind: "holds", keyid: signature.keyid } : { kind: "broken", why: "The signature does not fit what it says: something was changed, or another server signed it." };
  } catch {
    return { kind: "broken", why: "It cannot be read." };
  }
}
