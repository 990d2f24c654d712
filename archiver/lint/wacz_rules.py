"""The codes of `lint` for WACZ: severity, section and words, as in `rules.py`."""

from typing import Literal

_LAYOUT = "WACZ 1.1.1: Directories and Files"
_PACKAGE = "WACZ 1.1.1: datapackage.json"
_DIGEST = "WACZ 1.1.1: datapackage-digest.json"
_PAGES = "WACZ 1.1.1: pages.jsonl"
_INDEXES = "WACZ 1.1.1: indexes"
_ZIP = "WACZ 1.1.1: Zip Format"
_SIGNED = "wacz-auth 0.1.0: Signature Data Format"
_VERIFY = "wacz-auth 0.1.0: Verification"

WACZ_RULES: dict[str, tuple[Literal["error", "warning"], str, str]] = {
    "zip-damaged": ("error", _ZIP, "The ZIP cannot be read, or a file in it."),
    "zip-name": ("error", _ZIP, "A file in the ZIP whose name leads out of it, or is there twice."),
    "zip-compressed": ("error", f"{_ZIP} Compression", "A file that is compressed already was compressed again."),
    "zip-deflated": ("warning", f"{_ZIP} Compression", "A WARC file that is not stored as it is."),
    "zip-suffix": ("error", f"{_ZIP} File Extension", "The name does not end in .wacz."),
    "zip-bomb": ("error", _ZIP, "A file in the ZIP that is larger than may be unpacked: not judged."),
    "wacz-no-warc": ("error", f"{_LAYOUT}: archive", "No WARC file in archive/."),
    "wacz-foreign-file": ("error", "WACZ 1.1.1: Other files and directories", "A file in archive/, indexes/ or pages/ that does not belong there."),
    "package-missing": ("error", _PACKAGE, "No datapackage.json."),
    "package-form": ("error", _PACKAGE, "datapackage.json is no object with the properties that it must have."),
    "package-version": ("warning", _PACKAGE, "A wacz_version that this was not written for: judged as 1.1.1."),
    "package-unlisted": ("error", "WACZ 1.1.1: Other files and directories", "A file that datapackage.json does not list."),
    "package-absent": ("error", _PACKAGE, "datapackage.json lists a file that is not there."),
    "package-twice": ("error", _PACKAGE, "datapackage.json lists a file, or a name, twice."),
    "package-hash": ("error", _PACKAGE, "A file has another hash than datapackage.json says."),
    "package-bytes": ("error", _PACKAGE, "A file has another size than datapackage.json says."),
    "package-name": ("warning", _PACKAGE, "A resource's name that is not of lower-case letters, digits and `-._/` (Data Package 1: name)."),
    "package-date": ("error", _PACKAGE, "created or modified is no time as RFC 3339 writes it."),
    "digest-missing": ("warning", _DIGEST, "No datapackage-digest.json."),
    "digest-file": ("error", _DIGEST, "datapackage-digest.json is no object with the properties that it must have."),
    "digest-hash": ("error", _DIGEST, "datapackage.json has another hash than datapackage-digest.json says."),
    "signature-form": ("error", _SIGNED, "signedData is neither of the two forms, or has other properties."),
    "signature-hash": ("error", _SIGNED, "signedData is of another hash than that of datapackage.json."),
    "signature-created": ("warning", _VERIFY, "signedData was created at another time than datapackage.json says, which py-wacz refuses."),
    "signature-expired": ("error", _VERIFY, "Signed at a time when the certificate did not hold."),
    "signature-window": ("warning", _VERIFY, "Signed more than 7 days after the certificate began to hold, which authsign refuses."),
    "signature-bad": ("error", _VERIFY, "The signature does not hold."),
    "signature-domain": ("error", _VERIFY, "The certificate is of another domain."),
    "signature-chain": ("error", _VERIFY, "A chain of certificates that does not hold, or leads to none of the given roots."),
    "signature-time": ("error", _VERIFY, "The time signature does not hold, or is not within 10 minutes of the creation."),
    "signature-unrooted": ("warning", _VERIFY, "Chains of certificates whose ends were not judged, for no roots were given."),
    "pages-missing": ("error", _PAGES, "No pages/pages.jsonl."),
    "pages-form": ("error", _PAGES, "A line that is no page with url and ts, or no header before the pages."),
    "pages-not-indexed": ("warning", _PAGES, "A page whose URL the index does not have at that time."),
    "index-missing": ("error", _INDEXES, "No index in indexes/."),
    "index-line": ("error", "CDXJ 0.1.0: JSON Block", "A line that is no CDXJ line with the properties that it must have."),
    "index-order": ("error", "CDXJ 0.1.0: Sorting", "A line that sorts before the one above it."),
    "index-record": ("error", _INDEXES, "A line that points at no record, or at one of another URL, status, time or length."),
    "index-digest": ("error", _INDEXES, "A line with another digest than that of the record it points at."),
    "index-lost": ("warning", _INDEXES, "A response or resource that the index does not have."),
    "index-lone": ("warning", _INDEXES, "A compressed index without an .idx beside it, which ReplayWeb.page does not load."),
    "proof-bad": ("error", "docs/evidence.md", "The evidence in the file does not hold."),
}  # fmt: skip
