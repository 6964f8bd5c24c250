"""A recording comes back as it was written, shards join with `cat`, and damage is told with its line."""

from __future__ import annotations

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import MACHINE, distribution, recording, run

from pytest_gotrace.distributions import PROBABILITIES, Distribution
from pytest_gotrace.errors import ExitCode, RecordingError
from pytest_gotrace.metrics import CATALOGUE, Key, Metric
from pytest_gotrace.recording import Run
from pytest_gotrace.recordingfile import lines, read, write
from pytest_gotrace.spots import Spot
from pytest_gotrace.trace import Frame

AT = Frame("example.com/m/db.Get", "db/get.go", 12)

# the round trip

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(0, 2**62)
TEXT = st.text(st.characters(), max_size=8)  # with lone surrogates, as names of files may have them
FRAMES = st.builds(Frame, TEXT, TEXT, WHOLE)
SPOTS = st.builds(
    Spot,
    state=TEXT,
    at=st.none() | FRAMES,
    stack=st.lists(FRAMES, max_size=3).map(tuple),
    by=st.none() | FRAMES,
    by_group=TEXT,
    count=WHOLE,
    total=NUMBERS,
    inside=TEXT,
)
DISTRIBUTIONS = st.builds(
    Distribution,
    count=st.integers(1, 2**62),
    total=NUMBERS,
    mean=NUMBERS,
    max=NUMBERS,
    quantiles=st.tuples(*[NUMBERS] * len(PROBABILITIES)),
)
KEYS = st.builds(Key, metric=st.sampled_from([m.name for m in CATALOGUE]), subject=TEXT)
RUNS = st.builds(
    Run,
    side=st.sampled_from(["base", "head"]),
    benchmark=TEXT,
    round=st.integers(-1, 1000),
    position=st.integers(0, 1),
    traced=st.booleans(),
    iterations=st.integers(1, 2**62),
    values=st.dictionaries(TEXT, NUMBERS, max_size=3),
    series=st.dictionaries(KEYS, DISTRIBUTIONS, max_size=3),
    spots=st.lists(SPOTS, max_size=3).map(tuple),
    sampled=st.booleans(),
    trace_bytes=WHOLE,
    disturbed=st.lists(TEXT, max_size=2).map(tuple),
    repeated=st.lists(TEXT, max_size=2).map(tuple),
)


@given(
    runs=st.lists(RUNS, max_size=4, unique_by=lambda r: (r.side, r.benchmark, r.round, r.traced, r.sampled)),
    environment=st.dictionaries(TEXT, TEXT),
    seed=WHOLE,
    seconds=st.floats(0, 1e8),
)
def test_what_is_written_comes_back(tmp_path_factory, runs, environment, seed, seconds):
    """Reading returns exactly what was written, to the last bit of every number."""
    path = tmp_path_factory.mktemp("recording") / "r.jsonl"
    written = recording(*runs, environment=environment, seed=seed, seconds=seconds)
    write(written, path)
    assert read(path) == written


def test_one_line_a_run(tmp_path):
    """A file is a header and one line for each run, every line a JSON object in ASCII."""
    written = recording(run("base", 0), run("head", 0, benchmark="BenchmarkÄ"))
    write(written, tmp_path / "r.jsonl")
    found = (tmp_path / "r.jsonl").read_text("ascii").splitlines()
    assert [json.loads(line)["kind"] for line in found] == ["recording", "run", "run"]


def test_a_directory_is_made(tmp_path):
    """The directory of a recording need not be there, and no half-written file is left beside it."""
    write(recording(), tmp_path / "a" / "b" / "r.jsonl")
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["r.jsonl"]


def test_a_recording_that_cannot_be_written_costs_nothing(tmp_path):
    """Where writing fails, the error says why and what was there before stays."""
    target = tmp_path / "r.jsonl"
    target.mkdir()
    with pytest.raises(
        RecordingError, match=r"cannot write the recording .*r\.jsonl: .*choose another place"
    ):
        write(recording(), target)
    assert [path.name for path in tmp_path.iterdir()] == ["r.jsonl"]


def test_metrics_of_a_project(tmp_path):
    """A series of a metric that a project added comes back where the project is known, and is refused elsewhere."""
    own = Metric(name="gc-mark", unit="ns", traced=True, about="concurrent mark")
    written = recording(run("head", 0, traced=True, series={Key(metric="gc-mark"): distribution(5.0)}))
    write(written, tmp_path / "r.jsonl")
    assert read(tmp_path / "r.jsonl", (*CATALOGUE, own)) == written
    with pytest.raises(RecordingError, match=r"r\.jsonl:2: .*unknown metric 'gc-mark'"):
        read(tmp_path / "r.jsonl")


# shards


def text_of(*runs: Run, **fields) -> str:
    return "".join(f"{line}\n" for line in lines(recording(*runs, **fields)))


def test_shards_join_with_cat(tmp_path):
    """Two recordings of the same machine and revisions, one after the other, are one with the runs of both."""
    one, other = run("head", 0, "BenchmarkA"), run("head", 0, "BenchmarkB")
    (tmp_path / "r.jsonl").write_text(text_of(one, seed=1) + text_of(other, seed=2))
    assert read(tmp_path / "r.jsonl") == recording(one, other, seed=1)


def test_kernels_may_differ(tmp_path):
    """What is not in the list of what makes machines incomparable is forgiven."""
    text = text_of(environment=MACHINE | {"kernel": "6.1"}) + text_of(environment=MACHINE | {"kernel": "6.2"})
    (tmp_path / "r.jsonl").write_text(text)
    assert read(tmp_path / "r.jsonl").environment["kernel"] == "6.1"


def test_shards_of_two_machines_do_not_join(tmp_path):
    """A second header of another machine is refused, with what differs and the line it stands on."""
    text = text_of(run("head", 0)) + text_of(environment=MACHINE | {"cpu": "D"})
    (tmp_path / "r.jsonl").write_text(text)
    with pytest.raises(
        RecordingError, match=r"r\.jsonl:3: .*another machine or revision: cpu: 'D' here, 'C' in"
    ):
        read(tmp_path / "r.jsonl")


def test_the_same_shard_twice(tmp_path):
    """A run that is there already is refused, since it would count twice."""
    (tmp_path / "r.jsonl").write_text(2 * text_of(run("head", 3)))
    with pytest.raises(RecordingError, match=r":4: .*round 3 of BenchmarkX \(head\) is already on line 2"):
        read(tmp_path / "r.jsonl")


# damage

HEADER, RUN = (
    json.loads(line)
    for line in lines(
        recording(
            run(
                "head",
                0,
                traced=True,
                series={"exec": distribution(1.0)},
                values={"ns/op": 1.0},
                spots=(Spot(state="exec", at=AT, stack=(AT,), count=1, total=1.0),),
            )
        )
    )
)
SERIES, SPOT = RUN["series"][0], RUN["spots"][0]

PLAN = {"looks": [6], "taken": 1, "family": "f"}


def lines_of(header: dict = HEADER, run_: dict = RUN) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in (header, run_))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty; expected the JSON Lines"),
        (b"\n", ":1: .*no JSON"),
        (b"{}\n", ":1: .*no 'kind'"),
        (b"[]\n", ":1: .*expected dict, found list"),
        (b"[" * 100_000, ":1: "),
        (b"\x1f\x8b\x08", ":1: .*utf-8"),
        (lines_of()[:-1][:-5], ":2: .*no JSON .* cut short"),
        (lines_of() + b"\xff\n", ":3: .*utf-8"),
        (lines_of() + b"\n", ":3: .*no JSON"),
        (lines_of().split(b"\n")[1], ":1: .*a run of the head before any header"),
        (lines_of(header=HEADER | {"version": 2}), ":1: .*version 2, this program reads version 1"),
        (lines_of(header=HEADER | {"environment": []}), ":1: .*expected dict, found list"),
        (lines_of(header=HEADER | {"seconds": -1}), ":1: .*-1 seconds"),
        *(
            (
                lines_of(header=HEADER | {"plan": PLAN | {"shard": shard}}),
                f":1: .*{shard}' is no part such as 2/4",
            )
            for shard in ("9/2", "0/2", "1/300", "2")
        ),
        (lines_of(header=HEADER | {"seconds": 1e300}), r":1: .*1e\+300 seconds"),
        (lines_of(header=HEADER | {"environment": {"cpu": 1}}), ":1: .*expected str, found int"),
        (lines_of(header=HEADER | {"sides": {"left": {}}}), ":1: .*sides left; expected base and head"),
        (lines_of(header=HEADER | {"sides": {"head": {"name": "x"}}}), ":1: .*no 'sha'"),
        (lines_of(header=HEADER | {"sides": {"head": 3}}), ":1: .*expected dict, found int"),
        (lines_of(header=HEADER | {"sides": {}}), ":2: .*before any header that has that side"),
        (lines_of(header=HEADER | {"seed": "7"}), ":1: .*'7' is not a whole number"),
        (lines_of(header={k: v for k, v in HEADER.items() if k != "seed"}), ":1: .*no 'seed'"),
        (lines_of(run_=RUN | {"kind": "walk"}), ":2: .*kind 'walk'"),
        (lines_of(run_=RUN | {"side": "left"}), ":2: .*side 'left'"),
        (lines_of(run_=RUN | {"benchmark": None}), ":2: .*expected str, found NoneType"),
        (lines_of(run_=RUN | {"round": -2}), ":2: .*-2 is not a whole number"),
        (lines_of(run_=RUN | {"round": 1.5}), ":2: .*1.5 is not a whole number"),
        (lines_of(run_=RUN | {"round": True}), ":2: .*True is not a whole number"),
        (lines_of(run_=RUN | {"iterations": 0}), ":2: .*0 is not a whole number from 1 on"),
        (lines_of(run_=RUN | {"iterations": 10**400}), ":2: .*is not a whole number"),
        (lines_of(run_=RUN | {"traced": "false"}), ":2: .*expected bool, found str"),
        (lines_of(run_=RUN | {"values": {"ns/op": math.nan}}), ":2: .*nan is not a number"),
        (lines_of(run_=RUN | {"values": {"ns/op": 10**400}}), ":2: "),
        (lines_of(run_=RUN | {"values": [1]}), ":2: .*expected dict, found list"),
        (lines_of(run_=RUN | {"disturbed": "steal"}), ":2: .*expected list, found str"),
        (lines_of(run_=RUN | {"repeated": [1]}), ":2: .*expected str, found int"),
        (lines_of(run_=RUN | {"series": [SERIES[:-1]]}), ":2: "),
        (lines_of(run_=RUN | {"series": [[*SERIES[:-1], [1.0]]]}), ":2: .*1 quantiles, expected 10"),
        (lines_of(run_=RUN | {"series": [["exce", *SERIES[1:]]]}), ":2: .*did you mean 'exec'"),
        (lines_of(run_=RUN | {"series": [[SERIES[0], SERIES[1], 0, *SERIES[3:]]]}), ":2: .*0 is not a whole"),
        (lines_of(run_=RUN | {"series": {"exec": 1}}), ":2: "),
        (lines_of(run_=RUN | {"spots": [SPOT[:-1]]}), ":2: "),
        (lines_of(run_=RUN | {"spots": {}}), ":2: .*expected list, found dict"),
        (lines_of(run_=RUN | {"spots": [[SPOT[0], 1, *SPOT[2:]]]}), ":2: .*frame 1 of 1"),
        (lines_of(run_=RUN | {"spots": [[SPOT[0], -1, *SPOT[2:]]]}), ":2: .*-1 is not a whole number"),
        (lines_of(run_=RUN | {"spots": [[*SPOT[:-1], [True]]]}), ":2: .*True is not a whole number"),
        (lines_of(run_=RUN | {"spots": [[*SPOT, "region[db]", 1]]}), ":2: "),
        (lines_of(run_=RUN | {"frames": [["f", "g"]]}), ":2: "),
        (lines_of(run_=RUN | {"frames": [["f", "g", "h"]]}), ":2: .*'h' is not a whole"),
        (lines_of(run_={k: v for k, v in RUN.items() if k != "frames"}), ":2: .*no 'frames'"),
        (lines_of(run_=RUN | {"sampled": 1}), ":2: .*expected bool, found int"),
    ],
)
def test_damage_is_told_with_its_line(tmp_path, content, complaint):
    """Whatever is wrong with a recording is one sentence with file and line, and never a traceback."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=complaint) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE


@given(data=st.data())
def test_no_damage_is_a_traceback(tmp_path_factory, data):
    """A recording with any of its bytes changed is read, or refused in good order."""
    content = bytearray(lines_of())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "r.jsonl"
    path.write_bytes(content)
    with contextlib.suppress(RecordingError):
        assert len(read(path).runs) <= 1


def test_a_recording_that_is_not_there(tmp_path):
    """A file that cannot be opened is named, with the reason."""
    with pytest.raises(RecordingError, match=r"cannot read the recording .*none\.jsonl: No such file"):
        read(tmp_path / "none.jsonl")


# what comes back as what


def test_what_explains_is_never_judged(tmp_path):
    """Runs with CPU samples come back from a file as what they are, and only who asks for them gets them."""
    sampled = run("head", 0, traced=True, sampled=True)
    path = tmp_path / "r.jsonl"
    write(recording(run("head", 0, traced=True), explaining=(sampled,)), path)
    found = read(path)
    assert found.explaining == (sampled,)
    assert [r.sampled for r in found.of("head", "BenchmarkX", traced=True)] == [False]
    assert [r.sampled for r in found.of("head", "BenchmarkX", traced=True, sampled=True)] == [True]


def test_frames_are_written_once(tmp_path):
    """However many stacks a frame is in, it stands in the line of its run once."""
    spots = tuple(Spot(state="exec", at=AT, stack=(AT, AT), by=AT, count=1, total=1.0) for _ in range(9))
    written = recording(run("head", 0, traced=True, spots=spots))
    write(written, tmp_path / "r.jsonl")
    assert (tmp_path / "r.jsonl").read_text().count("db.Get") == 1
    assert read(tmp_path / "r.jsonl") == written


def test_sampled_runs_are_a_kind_of_their_own(tmp_path):
    """A traced run that was sampled may stand beside one of the same round that was not, and is asked for by name."""
    plain, sampled = run("head", 0, traced=True), run("head", 0, traced=True, sampled=True)
    write(recording(plain, sampled), tmp_path / "r.jsonl")
    found = read(tmp_path / "r.jsonl")
    assert found.of("head", "BenchmarkX", traced=True) == (plain,)
    assert found.of("head", "BenchmarkX", traced=True, sampled=True) == (sampled,)
    text = "".join(f"{line}\n" for line in lines(recording(sampled, sampled)))
    (tmp_path / "r.jsonl").write_text(text)
    with pytest.raises(RecordingError, match=r":3: .*round 0 of BenchmarkX"):
        read(tmp_path / "r.jsonl")
