"""A9 and A10: what a stranger may put into an artifact, and what becomes of it."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import warnings
import zipfile

import pytest
import sample_reports as samples
from jobs import zipped

from pytest_gotrace.artifact import read_entry
from pytest_gotrace.errors import RecordingError
from pytest_gotrace.report_json import MAX_BYTES, to_json

GOOD = to_json(samples.REGRESSION).encode()


def packed(*entries: tuple[zipfile.ZipInfo | str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with these entries, whatever they are called."""
    data = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(data, "w", method) as archive:
        warnings.simplefilter("ignore")  # one name twice
        for name, content in entries:
            archive.writestr(name, content, compress_type=method)
    return data.getvalue()


def named(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def changed(data: bytes, *, offset: int, central: int, value: int, size: str = "<I") -> bytes:
    """A zip of one entry with a number replaced in its local header and its entry in the directory."""
    patched = bytearray(data)
    directory = data.rindex(b"PK\x01\x02")
    for at in (offset, directory + central):
        struct.pack_into(size, patched, at, value)
    return bytes(patched)


ONE = packed(("report.json", GOOD))
STORED = packed(("report.json", GOOD), method=zipfile.ZIP_STORED)

HOSTILE = {
    "empty": (b"", "no zip"),
    "no zip": (GOOD, "no zip"),
    "no entry": (packed(), "found 0 entries"),
    "truncated": (ONE[: len(ONE) // 2], "no zip"),
    "damaged": (ONE[:60] + b"\xff\xff\xff" + ONE[63:], "no zip"),
    "another name": (packed(("report.txt", GOOD)), "found `report.txt`, expected report.json"),
    "above": (packed(("../report.json", GOOD)), "found `../report.json`"),
    "absolute": (packed(("/report.json", GOOD)), "found `/report.json`"),
    "below": (packed(("a/report.json", GOOD)), "found `a/report.json`"),
    "backslash": (packed(("..\\report.json", GOOD)), r"found `..\report.json`"),
    "zero": (ONE.replace(b"report.json", b"report.jso\x00"), r"found `report.jso\u{0}`"),
    "command": (packed(("::error::x\n::set-env::", GOOD)), r"found `::error::x\u{a}::set-env::`"),
    "directory": (packed((named("report.json/", 0o40755), b"")), "found `report.json/`"),
    "two": (packed(("report.json", GOOD), ("report.json", b"{}")), "found 2 entries"),
    "another beside": (packed(("report.json", GOOD), ("evil.py", b"")), "found 2 entries"),
    "link": (packed((named("report.json", 0o120777), b"/etc/passwd")), "is no regular file"),
    "device": (packed((named("report.json", 0o20666), b"")), "is no regular file"),
    "encrypted": (changed(ONE, offset=6, central=8, value=1, size="<H"), "is encrypted"),
    "lzma": (
        packed(("report.json", GOOD), method=zipfile.ZIP_LZMA),
        "is packed in a way that we do not read",
    ),
    "unknown method": (changed(ONE, offset=8, central=10, value=97, size="<H"), "is packed in a way"),
    "bomb": (packed(("report.json", b" " * (MAX_BYTES + 1))), f"has more than {MAX_BYTES} bytes"),
    "says less": (changed(ONE, offset=22, central=24, value=10), "no zip"),
    "says more": (changed(ONE, offset=22, central=24, value=len(GOOD) + 10), "is not as long as it says"),
    "bomb that says less": (
        changed(packed(("report.json", b" " * (MAX_BYTES + 1))), offset=22, central=24, value=100),
        "no zip",
    ),
    "names differ": (ONE.replace(b"report.json", b"evil11.json", 1), "no zip"),
}


class TestA10Zip:
    @pytest.mark.parametrize(("data", "message"), HOSTILE.values(), ids=HOSTILE)
    def test_hostile(self, data, message):
        """Anything but one plain `report.json` of a size that can be is refused, and the sentence says what it was."""
        with pytest.raises(RecordingError) as caught:
            read_entry(data, limit=MAX_BYTES)
        assert message in str(caught.value)
        assert str(caught.value).isprintable()

    @pytest.mark.parametrize("data", [ONE, STORED], ids=["deflated", "stored"])
    def test_good(self, data):
        """What `upload-artifact` makes is read."""
        assert read_entry(data, limit=MAX_BYTES) == GOOD

    def test_limit(self):
        """As many bytes as allowed are read, and not one more."""
        assert read_entry(packed(("report.json", b"x" * 100)), limit=100) == b"x" * 100
        with pytest.raises(RecordingError, match="has more than 99 bytes"):
            read_entry(packed(("report.json", b"x" * 100)), limit=99)

    def test_every_byte(self):
        """A zip with any one byte changed is read as it was, or refused."""
        small = packed(("report.json", b"{}" * 20))
        for place in range(len(small)):
            changed_ = small[:place] + bytes([small[place] ^ 0x41]) + small[place + 1 :]
            with contextlib.suppress(RecordingError):
                assert read_entry(changed_, limit=100) == b"{}" * 20

    def test_the_door_refuses(self, hub, job):
        """Nothing is posted, and the job fails with what was found."""
        job.measured(11, samples.REGRESSION)
        (number,) = hub.artifacts
        hub.artifacts[number] = (*hub.artifacts[number][:2], HOSTILE["two"][0])
        assert job.after(11)["error"] == "RecordingError"
        assert hub.comments == []

    def test_too_large(self, hub, job):
        """An artifact that is said to be too large is not asked for, one that is in truth is not read to its end."""
        job.measured(11, samples.REGRESSION)
        hub.artifact(12, b"x" * 3000, size_in_bytes=1500)
        hub.run(12, sha=samples.HEAD_SHA)
        (number, *_) = hub.artifacts
        hub.artifacts[number][1]["size_in_bytes"] = 1025
        assert "raise max-artifact-kb" in job.after(11, GOTRACE_MAX_ARTIFACT_KB="1")["message"]
        assert hub.downloads == []
        hub.artifacts[502][1]["size_in_bytes"] = 1000
        assert job.after(12, GOTRACE_MAX_ARTIFACT_KB="1")["reason"] == "unavailable"
        assert "the download is larger than 1024 bytes" in job.output
        assert hub.comments == []

    def test_which_artifact(self, hub, job):
        """Of several with the name the newest counts; others are not looked at."""
        hub.run(11, sha=samples.HEAD_SHA)
        hub.artifact(11, b"no zip")
        hub.artifact(11, zipped(samples.REGRESSION))
        hub.artifact(11, b"no zip", name="gotrace-report-2")
        assert job.after(11)["posted"] == "created"
        assert job.after(11, GOTRACE_ARTIFACT="gotrace-report-2")["error"] == "RecordingError"

    def test_none(self, hub, job):
        """A run without an artifact, or with one that has expired, is a notice."""
        hub.run(11, sha=samples.HEAD_SHA)
        assert job.after(11)["reason"] == "no-artifact"
        hub.artifact(11, b"", expired=True)
        assert job.after(11)["reason"] == "no-artifact"
        assert "::notice title=gotrace::the artifact gotrace-result of run 11 has expired" in job.output


class TestA9Report:
    @pytest.mark.parametrize(
        "text",
        [
            "[" * 100_000,
            '{"version": 1, "version": 1}',
            GOOD.decode().replace('"version":1', '"version":2'),
            GOOD.decode().replace('"alpha":0.05', '"alpha":NaN'),
            GOOD.decode().replace('"alpha":0.05', '"alpha":1e999'),
            json.dumps(json.loads(GOOD) | {"body": "# mine"}),
            "\ud800",
            "null",
        ],
        ids=["deep", "twice", "newer", "NaN", "infinite", "unknown field", "surrogate", "null"],
    )
    def test_hostile(self, hub, job, text):
        """A report that is not as the schema says is refused with exit code 4, and nothing is posted."""
        assert text != GOOD.decode()
        job.measured(11, text.encode("utf-8", "surrogatepass"))
        answer = job.after(11)
        assert answer["error"] == "RecordingError"
        assert "gotrace-result/report.json: " in answer["message"]
        assert hub.comments == []
        assert [each for each in hub.seen if each.method != "GET"] == []
