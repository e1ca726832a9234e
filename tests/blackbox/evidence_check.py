"""Checks a folder of evidence. Knows nothing of what wrote it; needs openssl and nothing else.   python3 evidence_check.py DIR"""
import hashlib, json, pathlib, struct, subprocess, sys

folder, faults = pathlib.Path(sys.argv[1]), []
u64 = lambda number: struct.pack(">Q", number)
text = lambda value: u64(len(value.encode())) + value.encode()
sha = lambda raw: hashlib.sha256(raw).digest()

def is_signed(document, signature):
    done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", folder / "public.pem", "-rawin", "-in",
                           folder / document, "-sigfile", folder / signature], capture_output=True)
    return done.returncode == 0

if not is_signed("manifest.json", "manifest.sig"):
    sys.exit("the manifest is not what was signed")
manifest = json.loads((folder / "manifest.json").read_bytes())
for name, sum_of in manifest["files"].items():
    if not (folder / name).is_file():
        faults.append(f"{name} is missing")
    elif sha((folder / name).read_bytes()).hex() != sum_of:
        faults.append(f"{name} was changed")
others = {one["delete_id"] for one in manifest["receipts"]["signed_by_another_node"]}
for receipt in sorted((folder / "receipts").glob("*.json")):
    if receipt.stem not in others and not is_signed(f"receipts/{receipt.name}", f"receipts/{receipt.stem}.sig"):
        faults.append(f"receipt {receipt.stem} is not what was signed")
    elif json.loads(receipt.read_bytes())["delete_id"] != receipt.stem:
        faults.append(f"receipt {receipt.stem} is that of another delete")
head, last = bytes.fromhex(manifest["audit"]["hash_before"]), 0
for line in (folder / "audit.jsonl").read_text().splitlines():
    row = json.loads(line)
    entry = sha(b"quell audit entry 1\n" + u64(row["no"]) + u64(row["at_ms"]) + text(row["who"]) + text(row["what"]) + text(row["ref"])
                + text(row["detail"] + "\n" + row["digest"]))
    head, last = sha(b"quell audit chain 1\n" + head + u64(row["no"]) + entry), row["no"]
    if head.hex() != row["hash"]:
        faults.append(f"audit row {last} or one before it was changed, removed or slipped in")
        break
else:
    if last != manifest["audit"]["last"] or last and head.hex() != manifest["audit"]["hash_last"]:
        faults.append(f"the tail of the audit is cut behind row {last}")
sys.exit("\n".join(faults) or 0)
