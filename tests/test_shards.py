"""Shards of a matrix are judged as one: what was measured, what was not, and nothing that is of another test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import MACHINE, runs_of, spread
from shopfront import Shop, copy, text

from pytest_gotrace import recordingfile as disk
from pytest_gotrace import rollcall, shards
from pytest_gotrace.continuing import digest
from pytest_gotrace.errors import RecordingError
from pytest_gotrace.gate import Customs, Options
from pytest_gotrace.prepare import Failure, Module
from pytest_gotrace.progress import Silent
from pytest_gotrace.recording import Measured, Planned, Recording
from pytest_gotrace.report import exit_code
from pytest_gotrace.report_json import read_report
from pytest_gotrace.roll import Listed, Seen, Trouble, from_json, to_json
from pytest_gotrace.shardgate import ShardGate

HEADER = "version: 1\nbudgets:\n"
RULES = HEADER + "  Benchmark*: {ns/op: +10%}\n"
SIDES = {
    "base": Measured(name="main", sha="a" * 40, tree="1" * 40),
    "head": Measured(name="working tree", sha="b" * 40, tree="2" * 40),
}
PLAN = Planned(looks=(6, 10), taken=2, family="f", budgets={})
FOUND, ABSENT = Seen(presence="found"), Seen(presence="absent")
OTHER = MACHINE | {"cpu": "Z80", "cores": "65536"}


def listed(name, *, asked=True, base=FOUND, head=FOUND, **more):
    """A benchmark of the root package that was found and asked about."""
    return Listed(module="", package="", name=name, base=base, head=head, asked=asked, **more)


def shard(name, *others, times=1.0, pairs=10, **fields):
    """A recording of one benchmark, whose head takes `times` as long, with `others` on its roll."""
    numbers = {
        "base": spread(1000.0, pairs, seed=1),
        "head": spread(1000.0 * times, pairs, seed=2),
    }
    return Recording(
        environment=fields.pop("environment", MACHINE),
        sides=fields.pop("sides", SIDES),
        runs=fields.pop("runs", runs_of(numbers, benchmark=name)),
        plan=fields.pop("plan", PLAN),
        roll=fields.pop("roll", (listed(name), *others)),
        seed=1,
        when="2026-11-21T05:33:00Z",
    )


class Place:
    """A directory with a budget and shards, and nothing else: no Go, no git."""

    def __init__(self, root: Path, budget: str = RULES) -> None:
        self.root = root
        (root / "gotrace.yaml").write_text(budget)

    def put(self, *recordings: Recording) -> None:
        """Write shards that were measured under the budget, as shard-1.jsonl and so on."""
        budgets = {"gotrace.yaml": digest(self.root / "gotrace.yaml")}
        for number, one in enumerate(recordings, 1):
            plan = one.plan and replace(one.plan, budgets=one.plan.budgets or budgets)
            disk.write(replace(one, plan=plan), self.root / f"shard-{number}.jsonl")

    def gate(self, **options) -> ShardGate:
        """The gate of these shards."""
        asked = Options(**{"shards": "shard-*.jsonl", **options})
        return ShardGate(asked, Customs(), Silent(), self.root)

    def report(self):
        """What comes out."""
        gate = self.gate()
        gate.answer(gate.collect(self.root / "gotrace.yaml"))
        return gate.report()


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def outcomes(report):
    """Outcome and reason by benchmark."""
    return {row.benchmark: (row.outcome, row.reason) for row in report.verdicts}


# one family


def test_one_family_of_several_machines(place):
    """Benchmarks of two machines are judged together, pairs of each by their own machine; the report names both."""
    place.put(
        shard("BenchmarkX", times=2.0),
        replace(shard("BenchmarkY", environment=OTHER), seed=5, seconds=90.0),
        replace(shard("BenchmarkZ", times=1.02), seconds=30.0),
    )
    report = place.report()
    assert {name: outcome for name, (outcome, _) in outcomes(report).items()} == {
        "BenchmarkX": "over",
        "BenchmarkY": "within",
        "BenchmarkZ": "within",
    }
    assert (report.expected, report.measured, report.method.looks) == (3, 3, (6, 10))
    assert report.environment["cpu"] == "C / Z80"
    assert report.environment["shards"] == "3"
    assert report.environment["shard 2"] == (
        "shard-2.jsonl: cpu Z80, cores 65536, gomaxprocs 2, go go1.26.8, seed 5, 1 min 30 s"
    )
    assert (report.method.seed, report.method.elapsed_seconds) == (1, 120.0)
    assert [note.split(":")[0] for note in report.notes] == [
        "each shard ran in a random order of its own",
        "which lines are in this change is not known",
    ]


def test_one_shard_is_judged_as_it_was(place):
    """A recording alone is a shard too, and its environment is its own."""
    place.put(shard("BenchmarkX"))
    assert place.report().environment == MACHINE


def test_merged_is_the_same(place, tmp_path):
    """Shards that were merged into one file give the same verdicts."""
    place.put(shard("BenchmarkX", times=2.0), shard("BenchmarkY", environment=OTHER))
    apart = place.report()
    found = shards.read(shards.matching("shard-*.jsonl", tmp_path))
    for path in tmp_path.glob("shard-*.jsonl"):
        path.unlink()
    disk.write_all([one.recording for one in found], tmp_path / "shard-merged.jsonl")
    assert place.report().verdicts == apart.verdicts


# nothing measured is never green


@pytest.mark.parametrize(
    ("there", "outcome", "reason"),
    [
        ({"base": FOUND, "head": ABSENT}, "missing", "it was on the base and is gone"),
        ({"base": ABSENT, "head": ABSENT}, "missing", "there is no such benchmark"),
        (
            {"head": Seen(presence="skipped", detail="not today")},
            "missing",
            "skips itself on the head: not today",
        ),
        ({"head": Seen(presence="failed", detail="panicked")}, "failed", "on the head: panicked"),
        ({"identical": True}, "identical", "same bytes"),
        ({"identical": True, "by_tokens": True}, "identical", "comments"),
        ({"failures": {"head": Trouble(message="it hung", tail="last")}}, "failed", "on the head: it hung"),
        ({}, "failed", "its shard has no run of the base"),
        ({"asked": False}, "failed", "no shard measured it"),
        ({"asked": False, "identical": True}, "identical", "same bytes"),
    ],
)
def test_what_has_no_numbers(place, there, outcome, reason):
    """What was gone, skipped, failed, identical or left out in a shard is so in the end, and never within."""
    place.put(shard("BenchmarkX"), shard("BenchmarkY", runs=(), roll=(listed("BenchmarkZ", **there),)))
    found = outcomes(place.report())
    assert found["BenchmarkX"][0] == "within"
    assert found["BenchmarkZ"][0] == outcome
    assert reason in found["BenchmarkZ"][1]


@pytest.mark.parametrize(
    ("base", "outcome", "reason"),
    [
        (ABSENT, "new", "is not on the base"),
        (Seen(presence="failed", detail="bad"), "failed", "on the base: bad"),
    ],
)
def test_the_head_alone(place, base, outcome, reason):
    """What runs on the head alone is new, or failed on the base."""
    runs = runs_of({"head": spread(1000.0, 10)}, benchmark="BenchmarkY")
    place.put(shard("BenchmarkX"), shard("BenchmarkY", runs=runs, roll=(listed("BenchmarkY", base=base),)))
    found = outcomes(place.report())["BenchmarkY"]
    assert found[0] == outcome
    assert reason in found[1]


def test_a_package_that_does_not_build(place):
    """A package of which nothing but its failure is known fails, with what was printed."""
    broken = Seen(
        presence="failed", detail="exit code 1", trouble=Trouble(message="exit code 1", tail="undefined")
    )
    package = Listed(module="", package="pool", name="", base=ABSENT, head=broken, asked=True)
    place.put(shard("BenchmarkX", package))
    report = place.report()
    assert outcomes(report)["pool"] == ("failed", "on the head: exit code 1")
    assert [failure.tail for failure in report.failures] == ["undefined"]
    assert exit_code(report) == 6


def test_a_measured_shard_wins(place):
    """A benchmark that one shard measured and another only saw is judged by the one that did."""
    both = listed("BenchmarkX", asked=False), listed("BenchmarkY", asked=False)
    place.put(shard("BenchmarkX", both[1]), shard("BenchmarkY", both[0]))
    assert {outcome for outcome, _ in outcomes(place.report()).values()} == {"within"}


def test_a_shard_that_ended_early(place):
    """A shard that took fewer looks than others is judged by the pairs it has, and named."""
    early = shard("BenchmarkY", pairs=6, plan=replace(PLAN, taken=1))
    place.put(shard("BenchmarkX"), early)
    report = place.report()
    assert {row.benchmark: row.pairs for row in report.verdicts} == {"BenchmarkX": 10, "BenchmarkY": 6}
    assert report.warnings == (
        "shard-2.jsonl ended after 6 pairs, others went on: what it measured is judged by those",
    )


# what does not belong together


def other_side(side, **changes):
    return {"sides": SIDES | {side: replace(SIDES[side], **changes)}}


@pytest.mark.parametrize(
    ("unlike", "complaint"),
    [
        (
            other_side("base", sha="c" * 40),
            "the base of shard-2.jsonl is cccccccccccc .* shard-1.jsonl is aaaaaaaa",
        ),
        (
            other_side("head", tree="3" * 40),
            r"the head of shard-2.jsonl is bbbbbbbbbbbb \(files 333333333333\)",
        ),
        (other_side("head", tree=""), "the head of shard-2.jsonl is"),
        ({"sides": {"head": SIDES["head"]}, "runs": ()}, "the base of shard-2.jsonl is nothing"),
        (
            {"plan": replace(PLAN, looks=(6, 20))},
            "shard-2.jsonl has looks after 6, 20 pairs, and .* after 6, 10",
        ),
        ({"plan": replace(PLAN, budgets={"gotrace.yaml": "0"})}, "different versions of gotrace.yaml"),
        ({"plan": replace(PLAN, recorded=True)}, "the base of shard-2.jsonl is a recording"),
        ({"plan": None}, "shard-2.jsonl is no shard"),
        ({"roll": ()}, "shard-2.jsonl has runs of BenchmarkY, and does not list it"),
    ],
)
def test_another_test_is_refused(place, unlike, complaint):
    """Other commits, files, looks, budgets, and what does not say what it is, are refused by the shard's name."""
    place.put(shard("BenchmarkX"), shard("BenchmarkY", **unlike))
    with pytest.raises(RecordingError, match=complaint):
        place.gate()


def test_a_benchmark_twice(place):
    """A benchmark that two shards measured is refused, whichever sides and rounds they are."""
    place.put(shard("BenchmarkX"), shard("BenchmarkX"))
    with pytest.raises(
        RecordingError, match=r"BenchmarkX was measured by shard-1\.jsonl and by shard-2\.jsonl"
    ):
        place.gate()


def test_how_many(place):
    """A missing shard is an error where their number is known, and so is none at all."""
    place.put(shard("BenchmarkX"), shard("BenchmarkY"))
    place.gate(shards_expected=2)
    with pytest.raises(
        RecordingError, match=r"3 shards were expected, and there are 2: shard-1\.jsonl, shard-2"
    ):
        place.gate(shards_expected=3)
    with pytest.raises(RecordingError, match=r"no file matches other-\*"):
        place.gate(shards="other-*")


def part(text, name="BenchmarkX"):
    """A shard that says which part it is."""
    return shard(name, plan=replace(PLAN, shard=text))


@pytest.mark.parametrize(
    ("shards_", "complaint"),
    [
        (
            (part("1/3"), part("3/3", "BenchmarkY")),
            r"missing: part 2/3\. There are: part 1/3 \(shard-1\.jsonl\), part 3/3 \(shard-2\.jsonl\)",
        ),
        ((part("2/2"),), r"missing: part 1/2\. .* A shard that is missing is no pass"),
        (
            (part("1/2"), part("1/2", "BenchmarkY")),
            r"not each part of one whole once: part 1/2 \(shard-1\.jsonl and shard-2\.jsonl\)",
        ),
        ((part("1/1"), part("2/2", "BenchmarkY")), r"not each part of one whole once: part 1/1 .*, part 2/2"),
    ],
)
def test_which_part(place, shards_, complaint):
    """Shards that say which parts they are must be each part of one whole once; the one that is missing is named."""
    place.put(*shards_)
    with pytest.raises(RecordingError, match=complaint):
        place.gate()


def test_artifacts_of_one_name(place):
    """Files of one name, as each artifact has a directory of its own, are told apart by it."""
    for number, name in enumerate(("BenchmarkX", "BenchmarkY"), 1):
        place.put(part(f"{number}/3", name))
        (place.root / f"part-{number}").mkdir()
        (place.root / "shard-1.jsonl").rename(place.root / f"part-{number}" / "recording.jsonl")
    with pytest.raises(
        RecordingError, match=r"missing: part 3/3\. .* \(part-1/recording\.jsonl\), part 2/3 \(part-2/"
    ):
        place.gate(shards="part-*/recording.jsonl")


def test_an_empty_part(place):
    """A part that no benchmark fell to is fine, and the report says that it measured nothing."""
    empty = shard("", runs=(), roll=(listed("BenchmarkX", asked=False),), plan=replace(PLAN, shard="2/2"))
    place.put(part("1/2"), empty)
    report = place.report()
    assert [row.outcome for row in report.verdicts] == ["within"]
    assert report.notes == ("`shard-2.jsonl` measured nothing: no benchmark fell to it",)


def test_untouched_packages(place):
    """Rules about packages that no shard looked into, as no change reaches them, are no mistake, and are told."""
    place.root.joinpath("gotrace.yaml").write_text(
        f"{RULES}  shed/BenchmarkY: {{ns/op: +1%}}\nrequire: [shed/BenchmarkY]\n"
    )
    shed = Listed(module="", package="shed", name="", base=ABSENT, head=ABSENT, asked=False, untouched=True)
    place.put(shard("BenchmarkX", shed))
    report = place.report()
    assert set(outcomes(report)) == {"BenchmarkX"}
    assert report.notes == (
        "untouched, and so not measured: `shed`; no change reaches them or what they import",
    )
    place.put(shard("", runs=(), roll=(shed, replace(shed, package=""))))
    gate = place.gate()
    assert gate.collect(place.root / "gotrace.yaml") == ()
    assert gate.left_out  # on purpose, so that nothing to judge is a pass


def test_another_budget(place):
    """The budget must be the one under which the shards were measured."""
    place.put(shard("BenchmarkX"))
    (place.root / "gotrace.yaml").write_text(RULES.replace("10", "50"))
    with pytest.raises(RecordingError, match=r"gotrace\.yaml is not as it was"):
        place.gate().collect(place.root / "gotrace.yaml")
    (place.root / "more.yaml").write_text(RULES)
    with pytest.raises(
        RecordingError, match=r"no shard was measured under more\.yaml; they were under: gotrace"
    ):
        place.gate().collect(place.root / "more.yaml")


# the roll

TEXT = st.text(st.characters(), max_size=6)
TROUBLES = st.builds(
    Trouble, message=TEXT, command=st.lists(TEXT).map(tuple), returned=st.none() | st.integers(), tail=TEXT
)
SEEN = st.builds(
    Seen,
    presence=st.sampled_from(["found", "absent", "skipped", "failed"]),
    detail=TEXT,
    trouble=st.none() | TROUBLES,
)
ROLLS = st.lists(
    st.builds(
        Listed,
        module=TEXT,
        package=TEXT,
        name=TEXT,
        base=SEEN,
        head=SEEN,
        asked=st.booleans(),
        identical=st.booleans(),
        by_tokens=st.booleans(),
        untouched=st.booleans(),
        failures=st.dictionaries(st.sampled_from(["base", "head"]), TROUBLES),
    ),
    max_size=3,
    unique_by=lambda one: one.id,
).map(tuple)


@given(roll=ROLLS)
def test_a_roll_comes_back(tmp_path_factory, roll):
    """A recording's roll is read as it was written, whatever things are called."""
    path = tmp_path_factory.mktemp("roll") / "r.jsonl"
    written = Recording(environment={}, sides=SIDES, runs=(), plan=PLAN, roll=roll)
    disk.write(written, path)
    assert disk.read(path) == written


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (
            {"base": {"presence": "there", "detail": "", "trouble": None}},
            "found, absent, skipped, failed, and not 'the",
        ),
        ({"asked": 1}, "expected bool, found int"),
        ({"head": None}, "expected dict, found NoneType"),
        ({"failures": {"left": {}}}, "a side is base or head"),
        ({"failures": {"base": {"message": "x"}}}, "command"),
    ],
)
def test_a_damaged_roll(damage, complaint):
    """What is no line of a roll is refused with what was expected."""
    with pytest.raises((KeyError, TypeError, ValueError), match=complaint):
        from_json({**to_json(listed("BenchmarkX")), **damage})


def test_a_module_comes_back():
    """A module made of the roll of another has its names, sides, and packages that do not build."""
    broken = Failure(
        benchmark="sub/pool", side="head", error=rollcall.failure_of("x", "head", Trouble(message="no")).error
    )
    roll = (
        replace(listed("BenchmarkX", head=ABSENT), module="sub", package="a"),
        replace(listed("BenchmarkY", asked=False), module="sub", package="b"),
    )
    module = replace(rollcall.module_of("sub", roll), failures=(broken,))
    again = rollcall.call([module, Module(directory="")], {"sub/a/BenchmarkX"}, {})
    assert again[:2] == roll
    assert [(one.id, one.name, one.head.detail) for one in again[2:]] == [("sub/pool", "", "no")]
    assert rollcall.module_of("sub", again).failures[0].error.message == "no"


# through the front door


def run(place: Place, *arguments: str):
    """pytest where there is no Go and no repository."""
    shop = Shop(place.root)
    return shop.pytest(*arguments, PATH="/nowhere")


def test_the_front_door(place):
    """`pytest --gotrace-from` needs neither Go nor git: items, report and exit code are those of any gate."""
    place.put(shard("BenchmarkX", times=2.0), shard("BenchmarkY"))
    result = run(place, "--gotrace-from=shard-*.jsonl", "--gotrace-shards=2", "--gotrace-report=report", "-v")
    assert result.ret == 1, text(result)
    result.stdout.fnmatch_lines(
        [
            "gotrace.yaml::BenchmarkX::ns/op OVER BUDGET*",
            "gotrace.yaml::BenchmarkY::ns/op WITHIN*",
            "expected:  BenchmarkX ns/op within +10% (gotrace.yaml:3)",
            "1 over budget, 1 within: 2 of 2 benchmarks measured",
        ]
    )
    report = read_report(place.root / "report" / "report.json")
    assert [row.outcome for row in report.verdicts] == ["over", "within"]


def test_what_it_does_not_go_with(place):
    """Whoever judges what was measured cannot measure at the same time, and a missing shard ends it with 4."""
    place.put(shard("BenchmarkX"))
    both = run(place, "--gotrace-from=shard-*.jsonl", "--gotrace-run-time=1s")
    assert both.ret == 4
    both.stderr.fnmatch_lines(
        "ERROR: --gotrace-from judges what was measured elsewhere, * no --gotrace-run-time"
    )
    missing = run(place, "--gotrace-from=shard-*.jsonl", "--gotrace-shards=2")
    assert missing.ret == 4
    missing.stderr.fnmatch_lines("ERROR: 2 shards were expected, and there are 1: *")


HOSTILE = (
    *(f"Benchmark{chr(code)}x" for code in range(0x20)),
    *(
        "Benchmark\ufffe",
        "Benchmark\ud800",
        "Benchmark]]>&<",
        "Benchmark/##[error]x",
        "Benchmark\n::error::x",
    ),
)


def test_a7_junit_of_any_names(place):
    """JUnit can be read whatever benchmarks are called, and has the numbers of each as properties."""
    from workflow_commands import commands

    numbers = {"base": spread(1000.0, 10, seed=1), "head": spread(2000.0, 10, seed=2)}
    runs = tuple(one for name in HOSTILE for one in runs_of(numbers, benchmark=name))
    place.put(shard("", runs=runs, roll=tuple(map(listed, HOSTILE))))
    result = run(place, "--gotrace-from=shard-1.jsonl", "--junit-xml=junit.xml")
    assert result.ret == 1, text(result)
    assert not commands(text(result))
    cases = [*ElementTree.parse(place.root / "junit.xml").iter("testcase")]
    assert len(cases) == len(HOSTILE)
    for case in cases:
        found = {one.get("name"): one.get("value") for one in case.iter("property")}
        assert found["gotrace_outcome"] == "over"
        assert (found["gotrace_budget"], found["gotrace_place"]) == ("+10%", "gotrace.yaml:3")
        assert (found["gotrace_unit"], found["gotrace_level"], found["gotrace_pairs"]) == ("ns", "fail", "10")
        low, change, high = (float(found[f"gotrace_change{end}"]) for end in ("_low", "", "_high"))
        assert 0.9 < low < change < high < 1.1
        assert float(found["gotrace_head"]) > float(found["gotrace_base"])


@pytest.mark.slow  # tests/action/test_action_merge.py has the quick one
def test_real_shards(original, tmp_path):
    """Two jobs measure a benchmark each; merged, they are judged together, and one alone is not enough.

    What the first one leaves in the clone does not make the second one's head another.
    """
    shop = copy(original, tmp_path / "shop")
    shop.cost(Coins=3)
    shop.budget(HEADER + '  "till/BenchmarkPay/*":\n    allocs/op: +10%\n')
    for number, selection in enumerate(("small", "large"), 1):
        out = f"out-{number}"
        places = (f"--gotrace-report={out}", f"--junit-xml={out}/junit.xml")
        shop.gate(f"--gotrace-record=shard-{number}.jsonl", *places, "-k", selection)
    names = [f"shard-{number}.jsonl" for number in (1, 2)]
    merged = shop.gotrace("merge", *names, "-o", "../merged.jsonl", "--shards=2")
    assert merged.ret == 0, text(merged)
    merged.stdout.fnmatch_lines("../merged.jsonl: 2 shards, 2 benchmarks with runs")
    result = shop.pytest("--gotrace-from=../merged.jsonl", "--gotrace-report=../report")
    assert result.ret == 1, text(result)
    report = read_report(tmp_path / "report" / "report.json")
    assert [(row.benchmark, row.outcome, row.pairs) for row in report.verdicts] == [
        ("till/BenchmarkPay/small", "over", 6),
        ("till/BenchmarkPay/large", "over", 6),
    ]
    assert {(one.file, one.line > 0) for one in report.annotations} == {("till/till_test.go", True)}
    assert report.method.elapsed_seconds > 1
    half = shop.pytest("--gotrace-from=shard-1.jsonl", "--gotrace-report=../half")
    assert half.ret == 1, text(half)
    found = {row.benchmark: row.reason for row in read_report(tmp_path / "half" / "report.json").verdicts}
    assert found["till/BenchmarkPay/large"] == "on the head: no shard measured it"
