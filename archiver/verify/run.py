"""The integrity check, in numbered steps. It yields every finding and never stops at the first.

    (1) manifest.json is there, whole, and in canonical form
    (2) warcs/ and imports/ hold the files that it names, and no others
    (3) each record list is the committed one, line by line, and its WARC file has the length that it covers
    (4) each WARC file is the committed one: every member's SHA-256 at its offset, no gap, no overlap
    (5) the tree: the recomputed root is the tree head, and each checkpoint is a prefix of it
    (6) signatures: each is right, and none is missing of a key that the person vouches for
    (7) history: the tree began as the checkpoints that were kept elsewhere say
    (8) time: each timestamp is over its checkpoint and holds
    (9) the catalogue file is as it was closed
    --deep:
    (10) every record parses, its WARC digests hold, it says what its line says, and what it repeats is there
    (11) the catalogue has the rows that a rebuild gives

Limits (a sample, a time) concern (4) and (10) alone, which read the WARC files: then only those are read
whose turn it is, and those that (3) leaves in doubt. (11) reads all, so it is left out.

Steps (1) to (9) judge by bytes, digests and JSON only; a WARC file is parsed there only to say which
line of a damaged record list is wrong, and its first record for what that names. docs/verify.md has the
whole procedure.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

from archiver.checks import CheckRun, Checks, now
from archiver.errors import ManifestError, NotAnArchive
from archiver.manifest import manifest as commitment
from archiver.manifest.manifest import Manifest
from archiver.model import Finding, Verdict
from archiver.sandbox import Sandbox
from archiver.storage import OPEN, NotPlain, open_plain, stored_at
from archiver.verify import catalogue, deep
from archiver.verify.files import COPY, Commitments, is_committed, is_open, shown, stored_names, unreadable
from archiver.verify.history import HistoryCheck
from archiver.verify.pair import Pair, check_uncommitted
from archiver.verify.revisits import RevisitCheck
from archiver.verify.schedule import Coverage, Limits, Schedule
from archiver.verify.signatures import SignatureCheck
from archiver.verify.times import TimeCheck
from archiver.verify.tree import TreeCheck
from archiver.verify.trust import Trust

ORDER: tuple[Verdict, ...] = ("ok", "unverifiable", "incomplete", "failed")


class Verification:
    """One check of an archive. `findings()` runs it; the counts are right when it has ended."""

    def __init__(
        self,
        root: Path,
        *,
        thorough: bool = False,
        sandbox: Sandbox | None = None,
        trust: Trust | None = None,
        limits: Limits | None = None,
        checks: Checks | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """`sandbox`: one that is open already, for many checks in a row. `trust`: who is vouched for.

        `checks` remembers what was read. `stop` is asked between two files, and with `thorough` between two
        records.
        """
        self.root = root
        self.trust = trust or Trust()
        self.times: TimeCheck | None = None
        self.thorough = thorough
        self.limits = limits or Limits()
        self.verdict: Verdict = "ok"
        self.findings_count = 0
        self.files = 0
        self.records = 0
        self.bytes = 0
        self.manifest: Manifest | None = None
        self.signatures: SignatureCheck | None = None
        self.history: HistoryCheck | None = None
        self.interrupted = False
        self._sandbox, self._checks, self._stop = sandbox, checks, stop
        self._schedule = Schedule((), (), self.limits)

    @property
    def coverage(self) -> Coverage:
        """How much of the WARC files was read."""
        return self._schedule.coverage

    @property
    def exit_code(self) -> int:
        """130: interrupted. 7: the time was used, and nothing is wrong so far. Else as the verdict says."""
        if self.interrupted:
            return 130
        if self.verdict == "ok":
            return 7 if self.limited else 0
        return 3 if self.verdict == "unverifiable" else 4

    @property
    def limited(self) -> bool:
        """Whether the time was used before all was read that should be."""
        return self._schedule.limited

    def findings(self) -> Iterator[Finding]:
        """Every finding, as it is met. Raises NotAnArchive when there is nothing to judge."""
        started = now()
        with nullcontext(self._sandbox) if self._sandbox else Sandbox() as sandbox:
            for finding in self._steps(sandbox):
                self.findings_count += 1
                self.verdict = max(self.verdict, finding.verdict, key=ORDER.index)
                if self._checks and finding.verdict in ("incomplete", "failed"):
                    self._checks.damaged(finding.file, finding.code)
                yield finding
        if self._checks:
            self._checks.ran(self._as_run(started))

    def _as_run(self, started: str) -> CheckRun:
        found = self.coverage
        return CheckRun(
            started=started,
            ended=now(),
            deep=self.thorough,
            share=self.limits.share,
            seconds=self.limits.seconds,
            files=found.files,
            of_files=found.all_files,
            bytes=found.bytes,
            findings=self.findings_count,
            verdict=self.verdict,
            whole=not (self.interrupted or self.limited),
        )

    def _steps(self, sandbox: Sandbox) -> Iterator[Finding]:
        yield from self._load()  # (1)
        if self.manifest is None:
            for name in stored_names(self.root):
                if name.endswith(".warc.gz") or is_committed(name):
                    yield from check_uncommitted(self.root, name)
            return
        manifest = self.manifest
        yield from _twice(manifest)
        yield from self._folder(manifest)  # (2)
        yield from self._files(manifest, sandbox)  # (3) to (8), and (10)
        if self._stopped():
            return
        rows = self.thorough and self._schedule.everything
        yield from catalogue.check_file(self.root, thorough=rows)  # (9)
        if rows:
            yield from catalogue.check_rows(self.root, manifest, sandbox)  # (11)

    def _files(self, manifest: Manifest, sandbox: Sandbox) -> Iterator[Finding]:
        """All in the tree's order, and then, where there are limits, WARC files in their turn."""
        remembered = self._checks.remembered() if self._checks else ()
        self._schedule = schedule = Schedule(manifest.warcs, remembered, self.limits)
        self.history = history = HistoryCheck(manifest, self.trust)
        self.signatures = signatures = SignatureCheck(self.root, manifest, self.trust)
        self.times = times = TimeCheck(self.root, manifest, self.trust)
        commitments, revisits = Commitments(manifest), RevisitCheck()
        tree = TreeCheck(manifest, history.sizes)
        for warc in manifest.warcs:
            pair = Pair(self.root, warc, commitments, sandbox)
            if schedule.everything or not pair.seems_right():  # (3)
                yield from self._read(pair, sandbox)
            self.files += 1
            self.bytes += warc.list.bytes
            tree.add(pair)
            signatures.add(pair)
            times.add(pair)
            if self.thorough:
                revisits.add(pair)
            if self._stopped():
                return
        yield from revisits.findings()
        yield from tree.findings()  # (5)
        yield from signatures.findings()  # (6)
        yield from history.findings(tree)  # (7)
        yield from times.findings()  # (8)
        for warc in () if schedule.everything else schedule.turns():
            if self._stopped():
                return
            yield from self._read(Pair(self.root, warc, commitments, sandbox), sandbox)

    def _read(self, pair: Pair, sandbox: Sandbox) -> Iterator[Finding]:
        """(3) and (4), and (10): both files, byte by byte. What came of it is remembered."""
        verdict: Verdict = "ok"
        for finding in self._judged(pair, sandbox):
            verdict = max(verdict, finding.verdict, key=ORDER.index)
            yield finding
        self.files += 1
        self.records += len(pair.entries)
        self.bytes += pair.warc.bytes
        if self.thorough and self._stop():  # not all of its records
            return
        self._schedule.done(pair.warc)
        if self._checks:
            self._checks.mark(pair.warc.path, pair.warc.digest, verdict, deep=self.thorough)

    def _judged(self, pair: Pair, sandbox: Sandbox) -> Iterator[Finding]:
        yield from pair.findings()
        if self.thorough and self.manifest:
            yield from deep.check_records(self.root, pair, self.manifest.origin, sandbox, self._stop)

    def _stopped(self) -> bool:
        """Whether the check ends before its end, because somebody asked."""
        self.interrupted = self.interrupted or self._stop()
        return self.interrupted

    def _load(self) -> Iterator[Finding]:
        path = self.root / commitment.NAME
        try:
            open_plain(path).close()
            self.manifest = commitment.load(self.root)
        except NotPlain as error:
            yield unreadable(commitment.NAME, error)
        except OSError as error:
            if not stored_names(self.root):
                commitment.load(self.root)  # says that there is no archive
            yield unreadable(commitment.NAME, error)
        except NotAnArchive:
            raise
        except ManifestError as error:
            yield Finding(
                verdict="failed", code="manifest", file=commitment.NAME, message=str(error), advice=COPY
            )

    def _folder(self, manifest: Manifest) -> Iterator[Finding]:
        """What is there and should not be. What is not there is met where it should be read."""
        named = {path for warc in manifest.warcs for path in (warc.path, warc.list.path)}
        for name in stored_names(self.root):
            if name in named:
                continue
            final = name.removesuffix(OPEN)
            taken = final in named and stored_at(self.root, final) != self.root / name
            if taken or not is_open(self.root, name):
                yield Finding(
                    verdict="failed",
                    code="unlisted-file",
                    file=shown(name),
                    message="the manifest does not name this file: it was added, or the manifest was cut",
                    advice=f"Move it out of {name.split('/')[0]}/, or get the manifest from another copy.",
                )
            else:
                yield Finding(
                    verdict="unverifiable",
                    code="unsealed",
                    file=shown(name),
                    message="a capture or import that is running, or was interrupted: it is not sealed yet",
                    advice="If none is running, the next 'archiver archive' or 'archiver rebuild' seals it,"
                    " and removes what was not imported to its end.",
                )


def _twice(manifest: Manifest) -> Iterator[Finding]:
    """Each file is named once, and a record list has the name of its WARC file."""
    seen: set[str] = set()
    for warc in manifest.warcs:
        if warc.list.path != commitment.list_of(warc.path) or warc.path in seen:
            yield Finding(
                verdict="failed",
                code="manifest-entry",
                file=commitment.NAME,
                message=f"{warc.path} is named twice, or with a record list of another name",
                found=warc.list.path,
                advice=COPY,
            )
        seen.add(warc.path)
