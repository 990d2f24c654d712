"""Bundles that are changed as an attacker would: some by a byte, some with everything made to fit again."""

import base64
import gzip
import hashlib
import json
import random
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from archiver.prove import verify

Files = dict[str, bytes]
FREE = {"report.html", "verify.py", "timestamps/roots.pem"}  # what nothing but SHA256SUMS holds


def summed(files: Files) -> Files:
    """The same with a SHA256SUMS that fits."""
    rest = {name: data for name, data in files.items() if name != "SHA256SUMS"}
    lines = (f"{hashlib.sha256(rest[name]).hexdigest()}  {name}\n" for name in sorted(rest))
    return {**rest, "SHA256SUMS": "".join(lines).encode()}


def flipped(data: bytes, dice: random.Random) -> bytes:
    """One bit, one cut, one insertion, one swap of two stretches, or one stretch doubled."""
    at = dice.randrange(len(data)) if data else 0
    kind = dice.randrange(5) if data else 2
    if kind == 0:
        return data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]
    if kind == 1:
        return data[:at] + data[at + dice.randrange(1, 40) :]
    if kind == 2:
        return data[:at] + dice.randbytes(dice.randrange(1, 9)) + data[at:]
    end = min(len(data), at + dice.randrange(1, 60))
    return (
        data[:at] + data[at:end] + data[at:end] + data[end:]
        if kind == 3
        else data[:at] + data[end:] + data[at:end]
    )


def stored(bundle: Any, capture: bytes) -> list[bytes]:
    return [capture[each["offset"] : each["offset"] + each["length"]] for each in bundle["members"]]


def forged(files: Files, members: list[bytes], subject: str | None = None, roles: str = "a record") -> Files:
    """A bundle of a tree of the forger's own, of which all leaves are these members; nobody signed it."""
    from archiver.manifest.proofs import Inclusion

    tree, origin = Inclusion(), json.loads(files["bundle.json"])["origin"]
    for member in members:
        tree.append(hashlib.sha256(member).digest(), wanted=True)
    root, at, rows = tree.finish(), 0, []
    for number, member in enumerate(members):
        digest, proof = (
            "sha256:" + hashlib.sha256(member).hexdigest(),
            [each.hex() for each in tree.proofs[number]],
        )
        row = {
            "role": roles,
            "offset": at,
            "length": len(member),
            "digest": digest,
            "leaf": number,
            "proof": proof,
        }
        rows.append(row)
        at += len(member)
    said = subject or json.loads(files["bundle.json"])["subject"]
    whole = {
        "format": "archiver-evidence/1",
        "subject": said,
        "origin": origin,
        "size": len(members),
        "members": rows,
    }
    note = f"{origin}\n{len(members)}\n{base64.b64encode(root).decode()}\n"
    kept = {name: data for name, data in files.items() if not name.startswith("timestamps/")}
    return summed(
        {
            **kept,
            "bundle.json": verify.dumped(whole, 2),
            "capture.warc.gz": b"".join(members),
            "checkpoint.txt": f"{note}\n".encode(),
            "keys.txt": b"",
        }
    )


def repacked(member: bytes, alter: Callable[[bytes], bytes]) -> bytes:
    return gzip.compress(alter(gzip.decompress(member)), mtime=0)


def json_tricks(text: bytes) -> Iterator[bytes]:
    """bundle.json in other forms, some of which say the same."""
    value = json.loads(text)
    yield json.dumps(value, ensure_ascii=False).encode() + b"\n"
    yield text[:-1]
    yield b"\xef\xbb\xbf" + text
    yield text.replace(b'"size": ', b'"size": 0', 1)
    yield text.replace(b'"leaf": ', b'"leaf": -', 1)
    yield text.replace(b'"offset": 0', b'"offset": 0.0', 1)
    yield text.replace(b'"offset": 0', b'"offset": false', 1)
    yield text.replace(b'"offset": 0', b'"offset": 1e400', 1)
    yield text.replace(b'"size": ', b'"size": NaN, "x": ', 1)
    yield text.replace(b'"size": ', b'"size": ' + b"9" * 5000, 1)
    yield text.replace(b'"format": "archiver-evidence/1"', b'"format": "archiver-evidence/2"', 1)
    yield text.replace(b'"format": ', b'"format": "archiver-evidence/1",\n  "format": ', 1)
    yield text.replace(b'"subject": "', b'"subject": "\\u0041', 1)
    yield text.replace(b'"subject": "', b'"subject": "\\ud800', 1)
    yield text.replace(b'"members": [', b'"members": [null,', 1)
    yield b'{"format":' * 100_000
    yield b"[" * 200_000
    yield b"null\n"
    yield b""
    for key in ("format", "subject", "origin", "size", "members"):
        yield verify.dumped({name: each for name, each in value.items() if name != key}, 2)
        for other in (None, 7, "", [], {}, True):
            yield verify.dumped({**value, key: other}, 2)
    for key in ("role", "offset", "length", "digest", "leaf", "proof"):
        for other in (None, 7, -1, "sha256:", [], [[]], True, 1 << 60):
            first = {**value["members"][0], key: other}
            yield verify.dumped({**value, "members": [first, *value["members"][1:]]}, 2)
    yield verify.dumped({**value, "members": value["members"][::-1]}, 2)
    yield verify.dumped({**value, "members": value["members"][1:]}, 2)
    yield verify.dumped({**value, "members": [*value["members"], value["members"][-1]]}, 2)
    yield verify.dumped({**value, "extra": 1}, 2)


def note_tricks(files: Files) -> Iterator[Files]:
    """Other checkpoints, signatures and keys."""
    signed, keys = files["checkpoint.txt"].decode(), files["keys.txt"].decode()
    note, _, tail = signed.partition("\n\n")
    first, second = tail.splitlines()
    one, two = keys.splitlines()
    for text in (
        f"{note}\n\n{second}\n{first}\n",  # the tokens cover the first alone
        f"{note}\n\n{first}\n",
        f"{note}\n\n{first}\n{first}\n{second}\n",
        f"{note}\n\n{first}\n{second}",
        f"{note}\n{first}\n{second}\n",
        f"{note}\nextension\n\n{tail}",
        f"{note}\n\n\n{tail}",
        f"{note}\n\n{first}\r\n{second}\n",
        f"{note}\n\n{first}\n{second}\nx\n",
        f"{note}\n\n{first} \n{second}\n",
        f"{note}\n\n{first}\n{second.replace('— ', '- ')}\n",
        f"{note}\n\n{first}\n{second}\n— stranger.example AAAAAAAAAAAA\n",
        f"{note}\n\n{first}\n{second}\n— st\u202eranger AAAAAAAAAAAA\n",
        note,
        f"{note}\n",
        signed.replace("\n", "\r\n"),
    ):
        yield {**files, "checkpoint.txt": text.encode()}
    for text in (
        "",
        one + "\n",
        two + "\n",
        one + "\n" + two,
        keys + keys,
        keys + "\n",
        keys + "x\n",
        keys.replace("+AQ", "+AR"),
        keys.replace("+AQ", "+Ag"),
        keys.replace(one[:20], one[:19] + "0"),
        keys * 60,
        keys.upper(),
    ):
        yield {**files, "keys.txt": text.encode()}
    yield {**files, "keys.txt": b"\xff\n"}
    yield {**files, "checkpoint.txt": b"\xff\n"}


def token_tricks(files: Files, dice: random.Random) -> Iterator[Files]:
    """Other tokens, and other texts that they cover. What only openssl can tell is left out."""
    one, two = files["timestamps/1.tsr"], files["timestamps/2.tsr"]
    for name, data in {
        "timestamps/1.tsr": (
            two,
            one + b"\0",
            one[:-1],
            b"",
            b"\x30\x80\0\0",
            b"\x30\x84\xff\xff\xff\xff",
            one + one,
        ),
        "timestamps/1.txt": (files["timestamps/2.txt"], b"", files["timestamps/1.txt"][:-1]),
        "timestamps/2.txt": (files["timestamps/1.txt"],),
        "timestamps/3.tsr": (one,),
        "timestamps/3.txt": (files["timestamps/1.txt"],),
        "timestamps/01.tsr": (one,),
        "timestamps/1.ots": (b"x",),
        "timestamps/x.pem": (b"x",),
    }.items():
        for each in data:
            yield {**files, name: each}
    for names in (("1.tsr",), ("1.txt",), ("1.tsr", "1.txt"), ("2.tsr", "2.txt"), ("roots.pem",)):
        yield {name: data for name, data in files.items() if name.partition("/")[2] not in names}
    at = one.index(bytes.fromhex("060b2a864886f70d0109100104"))
    for _ in range(80):  # the TSTInfo and what leads to it
        place = dice.randrange(at + 140)
        changed = one[:place] + bytes([one[place] ^ (1 << dice.randrange(8))]) + one[place + 1 :]
        yield {**files, "timestamps/1.tsr": changed}


def record_tricks(files: Files) -> Iterator[Files]:
    """Trees of the forger's own: all hashes fit, and it is the records that are not as they must be."""
    bundle, whole = json.loads(files["bundle.json"]), files["capture.warc.gz"]
    members = stored(bundle, whole)
    answer = next(n for n, each in enumerate(members) if b"WARC-Type: response" in gzip.decompress(each))
    info, note = 0, next(n for n, each in enumerate(members) if b'{"type":"fetch"' in gzip.decompress(each))

    def put(place: int, member: bytes) -> Files:
        return forged(files, [*members[:place], member, *members[place + 1 :]])

    yield forged(files, members)  # this one holds: it only has no signature
    yield forged(files, members, "http://nowhere.example/")
    yield forged(files, members, roles="")
    yield forged(files, members[:1])
    yield forged(files, [])
    yield forged(files, [*members, members[-1]])
    for old, new in (
        (b"WARC/1.1", b"WARC/1.2"),
        (b"WARC/1.1", b"WARC/1.0"),
        (b"WARC-Type: response", b"WARC-Type: revisit"),
        (b"WARC-Type: response", b"WARC-Typo: response"),
        (b"WARC-Record-ID", b"WARC-Recorded-ID"),
        (b"WARC-Date", b"WARC-Day"),
        (b"Content-Length: ", b"Content-Length: 1"),
        (b"Content-Length: ", b"Content-Length: +"),
        (b"Content-Length: ", b"Content-Length: 0"),
        (b"WARC-Date: ", b"WARC-date: 1\r\nWARC-Date: "),
        (b"WARC-Date: ", b"no colon\r\nWARC-Date: "),
        (b"WARC-Block-Digest: sha256:", b"WARC-Block-Digest: sha256:0"),
        (b"WARC-Block-Digest: sha256:", b"WARC-Block-Digest: md5:"),
        (b"WARC-Payload-Digest: sha256:", b"WARC-Payload-Digest: sha256:0"),
        (b"\r\n\r\n", b"\n\n"),
        (b"application/http", b"APPLICATION/HTTP"),
    ):
        yield put(answer, repacked(members[answer], lambda data, o=old, n=new: data.replace(o, n, 1)))  # type: ignore[misc]
    yield put(
        info, repacked(members[info], lambda data: data.replace(b"isPartOf: archiver", b"isPartOf: archivar"))
    )
    yield put(note, repacked(members[note], lambda data: data.replace(b'"type":"fetch"', b'"type":[NaN]  ')))
    yield put(note, repacked(members[note], lambda data: data.replace(b'{"type"', b'["type"')))
    yield put(note, gzip.compress(b"", mtime=0))
    yield put(note, members[note] + members[note])
    yield put(note, members[note] + b"\0")
    yield put(note, members[note][:-1])
    yield put(note, members[note][:-8] + bytes(8))
    yield put(note, zlib.compress(gzip.decompress(members[note])))
    yield put(note, gzip.decompress(members[note]))
    for place in range(1, len(members)):
        yield forged(files, members[:place] + members[place + 1 :])


def zip_tricks(data: bytes, files: Files) -> Iterator[bytes]:
    """ZIPs that other readers would take."""
    yield b"x" + data
    yield data + b"x"
    yield data[:-1]
    yield data[:40]
    yield data[:4]
    yield b"PK\x05\x06" + bytes(18)
    yield b""
    for name in (
        "../evil",
        "/etc/evil",
        "timestamps/../x",
        "timestamps\\1.tsr",
        "SHA256SUMS ",
        "\u6d77",
        "verify.pyc",
        "",
    ):
        yield verify.zipped(summed({**files, name: b"x"}) if name.isascii() else {**files, "%": b"x"})
    yield verify.zipped(dict(list(files.items())[:3]))
    at = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    first = data.index(b"PK\x03\x04", 4)
    yield data[first:at] + data[:first] + data[at:]
    yield data[:first] + data  # a name twice
    for place in (
        4,
        6,
        8,
        10,
        12,
        14,
        18,
        22,
        26,
        28,
        at + 4,
        at + 8,
        at + 36,
        at + 38,
        at + 42,
        end + 4,
        end + 8,
        end + 20,
    ):
        yield data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    yield data.replace(b"\x18\0\0\0\xff\xff\xff\xff", b"", 1)[: len(data)] + b"PK\x06\x06"
    yield data[:18] + b"\xff\xff\xff\xff\xff\xff\xff\xff" + data[26:]
    yield data[:at] + data[at:end].replace(b"\x00\x00\xa4\x81", b"\x00\x00\xa4\xa1", 1) + data[end:]  # a link


def mutations(data: bytes, files: Files, count: int) -> Iterator[bytes]:
    """At least `count` changed bundles, as ZIPs, the same in every run."""
    dice, made = random.Random(5), 0
    whole = [
        *zip_tricks(data, files),
        *(
            verify.zipped(summed({**files, "bundle.json": text}))
            for text in json_tricks(files["bundle.json"])
        ),
        *(verify.zipped(summed(each)) for each in note_tricks(files)),
        *(verify.zipped(summed(each)) for each in token_tricks(files, dice)),
        *(verify.zipped(each) for each in record_tricks(files)),
    ]
    yield from (each for each in whole if each != data)
    while made < count - len(whole):
        made += 1
        name = dice.choice(sorted(files.keys() - FREE if made % 2 else files))
        changed = {**files, name: flipped(files[name], dice)}
        other = verify.zipped(summed(changed) if made % 2 else changed) if made % 5 else flipped(data, dice)
        if other != data:
            yield other
