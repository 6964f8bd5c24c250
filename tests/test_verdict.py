"""One question, one situation, one outcome, one reason."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from asking import PLAN, answers, benchmark, budget, questions
from samples import recording, run, runs_of, spread, traced_runs

from pytest_gotrace.errors import GoTestError
from pytest_gotrace.prepare import Failure
from pytest_gotrace.stats import Comparison, Plan
from pytest_gotrace.verdict import Outcome, Verdict, tally

SAME = runs_of({"base": spread(1000, 6), "head": spread(1000, 6, seed=2)})
WORSE = runs_of({"base": spread(1000, 6), "head": spread(2000, 6, seed=2)})
MORE, FEWER = (
    runs_of({"base": spread(base, 6), "head": spread(head, 6, seed=2)}, "hits/op")
    for base, head in ((10, 20), (20, 10))
)


def one(tmp_path, limits, runs=(), *, of=None, more="", **facts) -> Verdict:
    """The only verdict on the only question."""
    asked = questions(budget(tmp_path, limits, more), *(of or ()))
    ((verdict,),) = answers(asked, recording(*runs), **facts)[0]
    return verdict


# what presence alone answers


@pytest.mark.parametrize(
    ("there", "outcome", "reason"),
    [
        ({"head": "failed"}, "failed", "on the head: why"),
        ({"head": "skipped"}, "missing", "it skips itself on the head: why"),
        ({"head": "absent"}, "missing", "it was on the base and is gone"),
        ({"head": "absent", "base": "absent"}, "missing", "there is no such benchmark"),
        ({"base": "failed"}, "failed", "on the base: why"),
        ({"base": "skipped"}, "new", "the benchmark skips itself there: why"),
        ({"base": "absent"}, "new", "the benchmark is not on the base"),
        ({"identical": True}, "identical", "both sides compile to the same bytes"),
        ({"identical": True, "head": "failed", "base": "failed"}, "failed", "on the head: why"),
    ],
)
def test_presence(tmp_path, there, outcome, reason):
    """Where a benchmark is not there to be measured on both sides, that is the answer, and it is final."""
    verdict = one(tmp_path, "{ns/op: +10%}", of=[benchmark(**there)])
    assert (verdict.outcome.value, verdict.settled, verdict.comparison) == (outcome, True, None)
    assert verdict.reason.startswith(reason)
    assert verdict.blocks == (outcome in ("failed", "missing"))


@pytest.mark.parametrize(
    ("there", "limits", "outcome"),
    [
        ({"base": "absent"}, "{ns/op: max 5us}", "within"),
        ({"base": "failed"}, "{ns/op: max 5us}", "within"),
        ({"base": "absent"}, "{ns/op: max 1us}", "over"),
        ({"base": "absent"}, '{ns/op: "+10%, max 1us"}', "over"),
        ({"base": "absent"}, '{ns/op: "+10%, max 5us"}', "within"),
    ],
)
def test_a_cap_needs_no_base(tmp_path, there, limits, outcome):
    """A benchmark that is on the head alone is judged by its cap, and by nothing else."""
    head = [r for r in WORSE if r.side == "head"]
    assert one(tmp_path, limits, head, of=[benchmark(**there)]).outcome.value == outcome


def test_no_base_at_all(tmp_path):
    """Without a base to compare with, a change cannot be judged."""
    verdict = one(tmp_path, "{ns/op: +10%}", of=[benchmark(base="absent")], has_base=False)
    assert (verdict.outcome, verdict.reason) == (
        Outcome.NEW,
        "there is no base to compare with; only a `max` is judged",
    )


def test_a_failure_while_measuring(tmp_path):
    """A benchmark that failed while it was measured is failed, whatever its runs before say."""
    failure = Failure(benchmark="BenchmarkX", side="head", error=GoTestError("panicked: oops"))
    verdict = one(tmp_path, "{ns/op: +10%}", SAME, failures={"BenchmarkX": failure})
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "on the head: panicked: oops")


# what numbers answer


@pytest.mark.parametrize(
    ("limits", "runs", "outcome", "settled"),
    [
        ("{ns/op: +10%}", SAME, "within", True),
        ("{ns/op: +10%}", WORSE, "over", True),
        ("{'custom[hits/op]': -10%}", MORE, "within", True),
        ("{'custom[hits/op]': -10%}", FEWER, "over", True),
        ("{ns/op: +120%}", WORSE, "within", True),
        ("{ns/op: +100%}", WORSE, "inconclusive", False),
        ("{ns/op: +2us}", WORSE, "within", True),
        ("{ns/op: max 1500ns}", WORSE, "over", True),
        ("{ns/op: max 2500ns}", WORSE, "within", True),
        ('{ns/op: "+120%, max 1500ns"}', WORSE, "over", True),
        ('{ns/op: "+10%, max 2500ns"}', WORSE, "over", True),
        ('{ns/op: "+120%, max 2us"}', WORSE, "inconclusive", False),
        ("{ns/op: +10%}", WORSE[:2] + WORSE[6:8], "inconclusive", False),
    ],
)
def test_numbers(tmp_path, limits, runs, outcome, settled):
    """Every limit meets runs of which the answer is plain; the worst part of a limit counts."""
    verdict = one(tmp_path, limits, runs)
    assert (verdict.outcome.value, verdict.settled) == (outcome, settled)
    assert verdict.comparison is not None
    assert verdict.reason


def test_without_runs_nothing_is_green(tmp_path):
    """Where one side has no run of the kind that is asked for, as in half a recording, nothing can be told."""
    for runs in ((), [r for r in SAME if r.side == "head"], [r for r in SAME if r.side == "base"]):
        verdict = one(tmp_path, "{ns/op: +10%}", runs)
        assert verdict.outcome is Outcome.INCONCLUSIVE
        assert verdict.settled
        assert verdict.reason


@pytest.mark.parametrize("unit", ["ns/op", "B/op"])
def test_a_number_that_is_hidden_is_missing(tmp_path, unit):
    """A benchmark that reports no ns/op, as `b.ReportMetric(0, "ns/op")` does, is not within a budget for it."""
    hidden = runs_of({"base": spread(1, 6), "head": spread(1, 6)}, "hits/op")
    verdict = one(tmp_path, f"{{{unit}: +10%}}", hidden)
    assert (verdict.outcome, verdict.reason) == (Outcome.MISSING, f"no run of the head reports {unit}")


def test_events_that_stop_are_within(tmp_path):
    """Where nothing waits any more there is no quantile of waiting, and that is no regression."""
    sides = {"base": {"exec": [5.0] * 6, "sleep": [5.0] * 6}, "head": {"exec": [5.0] * 6}}
    for metric in ("sleep.p50", "sleep.total", "net-wait.p50", "net-wait.total"):
        verdict = one(tmp_path, f"{{{metric}: +10% and 1us}}", traced_runs(sides))
        assert verdict.outcome is Outcome.WITHIN, verdict.reason


def test_warm_ups_are_left_out(tmp_path):
    """Rounds below zero are measured and not judged."""
    wild = [run(side, -1, values={"ns/op": 1e9}) for side in ("base", "head")]
    verdict = one(tmp_path, "{ns/op: +10%}", (*wild, *SAME))
    assert verdict.comparison.pairs == 6


def test_rounds_that_one_side_lacks_are_no_pairs(tmp_path):
    """Only rounds of both sides are compared, each with its own counterpart."""
    verdict = one(tmp_path, "{ns/op: +10%}", (*SAME, run("head", 6, values={"ns/op": 1.0})))
    assert verdict.comparison.pairs == 6


# named things


def region(**sides):
    """Traced runs of both sides with these regions: `base={"region[db]": 100}`."""
    return traced_runs(
        {side: {name: spread(total, 6) for name, total in named.items()} for side, named in sides.items()}
    )


BOTH = {"exec": 50.0, "region[db]": 100.0}


@pytest.mark.parametrize(
    ("base", "head", "outcome", "reason"),
    [
        (BOTH, BOTH, "within", "noise cannot hide"),
        (BOTH, BOTH | {"region[db]": 300.0}, "over", "beyond its budget, by the same in every pair"),
        (BOTH, {"exec": 50.0}, "missing", "region[db] is on the base and not on the head"),
        ({"exec": 50.0}, BOTH, "new", "region[db] is not on the base"),
        ({"exec": 5.0}, {"exec": 5.0}, "missing", "region[db] is on neither side"),
        (
            {"exec": 5.0},
            {"exec": 5.0, "region[dB]": 1.0},
            "missing",
            "region[db] is on neither side (did you mean 'dB'?)",
        ),
    ],
)
def test_regions_that_come_and_go(tmp_path, base, head, outcome, reason):
    """A region that a rule names is judged where both sides have it, and told where one has not."""
    verdict = one(tmp_path, "{'region[db].total': +20%}", region(base=base, head=head))
    assert verdict.outcome.value == outcome
    assert verdict.reason.startswith(reason)


def test_a_glob_is_a_verdict_for_each_name(tmp_path):
    """A rule on `region[*]` is answered for each region that either side has, except where another rule speaks."""
    found = region(
        base={"region[a]": 10.0, "region[b]": 10.0, "region[c]": 10.0},
        head={"region[a]": 30.0, "region[b]": 10.0, "region[d]": 1.0, "region[e]": 1.0},
    )
    asked = questions(
        budget(tmp_path, "{'region[*].total': +20%, 'region[b].total': +30%, 'region[d].total': off}")
    )
    (globbed, exact), _ = answers(asked, recording(*found))
    assert {str(v.key): v.outcome.value for v in globbed} == {
        "region[a].total": "over",
        "region[c].total": "missing",
        "region[e].total": "new",
    }
    assert [str(v.key) for v in exact] == ["region[b].total"]


def test_a_glob_that_finds_nothing(tmp_path):
    """A glob without any name on either side is missing, and never green."""
    verdict = one(tmp_path, "{'region[*].total': +20%}", region(base={"exec": 1.0}, head={"exec": 1.0}))
    assert (verdict.outcome, verdict.reason) == (
        Outcome.MISSING,
        "nothing on either side is called region[*]",
    )


@pytest.mark.parametrize(
    ("metric", "count", "outcome"),
    [("p99", 499, "inconclusive"), ("p99", 500, "within"), ("p50", 9, "inconclusive"), ("p50", 10, "within")],
)
def test_quantiles_need_events(tmp_path, metric, count, outcome):
    """A quantile of too few events is not judged, and the reason says how many there must be."""
    runs = traced_runs(
        {side: {"region[db]": spread(100, 6, seed=seed)} for seed, side in enumerate(("base", "head"))},
        count=count,
    )
    verdict = one(tmp_path, f"{{'region[db].{metric}': +20%}}", runs)
    assert verdict.outcome.value == outcome
    assert verdict.settled
    if outcome == "inconclusive":
        assert verdict.reason.startswith(f"a run has {count} events, and {metric} needs {count + 1}")


# requirements

REQUIRED = "require:\n  - BenchmarkX region[db]\n"


@pytest.mark.parametrize(
    ("head", "there", "outcome", "reason"),
    [
        (BOTH, {}, "within", ""),
        ({"region[a]": 1.0, "region[b]": 2.0}, {}, "missing", "not on the head; there are: a, b"),
        ({"exec": 1.0}, {}, "missing", "region[db] is required and not on the head"),
        (BOTH, {"identical": True}, "identical", ""),
        (BOTH, {"head": "failed"}, "failed", "on the head: why"),
        (BOTH, {"head": "skipped"}, "missing", "it skips itself"),
    ],
)
def test_requirements(tmp_path, head, there, outcome, reason):
    """What is required is there on the head, or missing with what is there instead."""
    asked = questions(budget(tmp_path, "{ns/op: +10%}", REQUIRED), benchmark(**there))
    ((verdict,),) = answers(asked[1:], recording(*region(head=head)))[0]
    assert verdict.outcome.value == outcome
    assert reason in verdict.reason
    assert verdict.question.text == "require region[db]"


def test_a_required_benchmark(tmp_path):
    """A benchmark that must exist is within where it does, and missing where nothing matches."""
    more = "require:\n  - BenchmarkX\n  - BenchmarkGone\n"
    (_, there, gone), _ = answers(questions(budget(tmp_path, "{ns/op: +10%}", more)), recording(*SAME))
    assert (there[0].outcome, gone[0].outcome) == (Outcome.WITHIN, Outcome.MISSING)
    assert gone[0].question.benchmark.path == "BenchmarkGone"
    assert gone[0].reason == "there is no such benchmark"


# who blocks

WAIVER = "waivers:\n  - {benchmark: BenchmarkX, metric: ns/op, until: %s, reason: agreed}\n"


@pytest.mark.parametrize(
    ("limits", "more", "runs", "outcome", "blocks"),
    [
        ("{ns/op: +10%}", "", WORSE, "over", True),
        ("{ns/op: {max_increase: 10%, level: warn}}", "", WORSE, "over", False),
        ("{ns/op: +10%}", WAIVER % "2026-06-01", WORSE, "over", False),
        ("{ns/op: +10%}", WAIVER % "2026-05-31", WORSE, "over", True),
        ("{ns/op: +100%}", "", WORSE, "inconclusive", False),
        ("{ns/op: +100%}", "defaults: {on_inconclusive: fail}\n", WORSE, "inconclusive", True),
        ("{ns/op: +10%}", "defaults: {on_inconclusive: fail}\n", SAME, "within", False),
    ],
)
def test_what_blocks(tmp_path, limits, more, runs, outcome, blocks):
    """A verdict blocks if it is bad, its level is `fail` and no waiver of today covers it."""
    verdict = one(tmp_path, limits, runs, more=more)
    assert (verdict.outcome.value, verdict.blocks) == (outcome, blocks)


def test_a_waiver_covers_a_benchmark_that_is_gone(tmp_path):
    """A waiver may be for a benchmark that vanished."""
    verdict = one(tmp_path, "{ns/op: +10%}", of=[benchmark(head="absent")], more=WAIVER % "2026-12-31")
    assert (verdict.outcome, verdict.blocks, verdict.waiver.reason) == (Outcome.MISSING, False, "agreed")


NOISY = runs_of({"base": spread(1000, 20, 0.3), "head": spread(1000, 20, 0.3, seed=2)})


def test_a_budget_below_what_can_be_seen_blocks_nothing(tmp_path):
    """Where this machine cannot show that a budget is kept, the reason says so and it blocks not even if asked to."""
    verdict = one(tmp_path, "{ns/op: +1%}", NOISY, more="defaults: {on_inconclusive: fail}\n", look=3)
    assert (verdict.outcome, verdict.blocks, verdict.level) == (Outcome.INCONCLUSIVE, False, "warn")
    assert verdict.comparison.underpowered
    assert verdict.reason.endswith(
        "; noise on this machine hides changes of the budget's size, so it blocks nothing"
    )


def test_a_budget_below_what_can_be_seen_may_be_broken(tmp_path):
    """A change that is beyond such a budget all the same is over, and blocks."""
    runs = runs_of({"base": spread(1000, 20, 0.1), "head": spread(3000, 20, 0.1, seed=2)})
    verdict = one(tmp_path, "{ns/op: +1%}", runs, look=3)
    assert (verdict.outcome, verdict.blocks) == (Outcome.OVER, True)


def test_numbers_of_another_machine_decide_nothing(tmp_path):
    """With a recording of another machine every comparison is inconclusive for good, and its numbers are shown."""
    verdict = one(tmp_path, "{ns/op: +10%}", WORSE, foreign=True)
    assert (verdict.outcome, verdict.settled) == (Outcome.INCONCLUSIVE, True)
    assert verdict.reason == "the base was recorded on another machine"
    assert (verdict.comparison.pairs_needed, verdict.comparison.advisable) == (None, None)
    assert verdict.comparison.change.center == pytest.approx(1.0, rel=0.1)


# the family


class Spy:
    """A procedure that writes down what it is asked, and answers what it is told."""

    def __init__(self, decision="inconclusive"):
        self.decision, self.cells, self.previous = decision, None, None

    def __call__(self, cells, look, plan, previous):
        self.cells, self.previous = cells, previous
        return [Comparison(decision=self.decision, pairs=6) for _ in cells]


def test_all_questions_are_one_family(tmp_path):
    """Everything that needs numbers is judged in one call; what does not is left out."""
    text = "Benchmark*: {ns/op: '+10%, max 5us', B/op: +10%}"
    asked = questions(
        budget(tmp_path, text), benchmark(), benchmark("BenchmarkY"), benchmark("BenchmarkZ", head="absent")
    )
    spy = Spy()
    runs = (*SAME, *runs_of({"base": spread(1, 6), "head": spread(1, 6)}, benchmark="BenchmarkY"))
    found, decisions = answers(asked, recording(*runs), compare=spy)
    assert len(spy.cells) == len(decisions) == 6
    assert spy.previous == [None] * 6
    answers(asked, recording(*runs), compare=spy, earlier=dict.fromkeys(decisions, "within"))
    assert spy.previous == ["within"] * 6
    assert [verdict.outcome.value for (verdict,) in found] == ["inconclusive"] * 4 + ["missing"] * 2


def test_two_lines_on_one_number_are_two_cells(tmp_path):
    """Lines of two budget files on the same number are judged apart, each by its own limit, also at the next look."""
    loose, tight = (
        questions(budget(tmp_path, f"{{ns/op: +{limit}%}}", name=f"{limit}.yaml"))[0] for limit in (150, 10)
    )
    ((first,), (second,)), decisions = answers((loose, tight), recording(*WORSE))
    assert (first.outcome, second.outcome) == (Outcome.WITHIN, Outcome.OVER)
    assert sorted(decisions.values()) == ["over", "within"]
    again, _ = answers((tight, loose), recording(*WORSE), look=1, earlier=decisions)
    assert [verdict.outcome for (verdict,) in again] == [Outcome.OVER, Outcome.WITHIN]


def test_what_was_decided_stays(tmp_path):
    """A decision of an earlier look is handed in at the next, and holds whatever comes after."""
    asked = questions(budget(tmp_path, "{ns/op: +10%}"))
    _, decisions = answers(asked, recording(*SAME))
    later = runs_of({"base": spread(1000, 10), "head": spread(1300, 10, seed=2)})
    ((verdict,),), _ = answers(asked, recording(*later), look=1, earlier=decisions)
    assert verdict.outcome is Outcome.WITHIN


@pytest.mark.parametrize(
    ("decision", "outcome", "settled"),
    [
        ("over", "over", True),
        ("within", "within", True),
        ("inconclusive", "inconclusive", False),
        ("not-estimable", "inconclusive", True),
        ("new", "new", True),
        ("removed", "within", True),
        ("nothing", "within", True),
    ],
)
def test_decisions_of_the_statistics_are_outcomes(tmp_path, decision, outcome, settled):
    """Each decision has its outcome, and only what more pairs could change is unsettled."""
    runs = region(base={"exec": 1.0}, head={"exec": 1.0})
    verdict = one(tmp_path, "{exec.total: +10%}", runs, compare=Spy(decision))
    assert (verdict.outcome.value, verdict.settled) == (outcome, settled)


def test_one_part_that_can_still_change_keeps_a_verdict_open(tmp_path):
    """A limit with two parts is settled when both are, or when one is over."""

    def compare(first, second):
        return lambda cells, *_: [Comparison(decision=d, pairs=6) for d in (first, second)]

    limits = '{ns/op: "+10%, max 5us"}'
    open_ = one(tmp_path, limits, SAME, compare=compare("not-estimable", "inconclusive"))
    over = one(tmp_path, limits, SAME, compare=compare("over", "inconclusive"))
    assert (open_.outcome, open_.settled) == (Outcome.INCONCLUSIVE, False)
    assert (over.outcome, over.settled) == (Outcome.OVER, True)


def test_the_same_input_gives_the_same_verdicts(tmp_path):
    """Judging twice gives the same outcomes, reasons and numbers."""
    asked = questions(budget(tmp_path, "{ns/op: +10%, B/op: +10%}"))
    first, second = (answers(asked, recording(*WORSE), plan=replace(PLAN, seed=3)) for _ in range(2))
    assert [repr(v.comparison) for (v,) in first[0]] == [repr(v.comparison) for (v,) in second[0]]
    assert isinstance(PLAN, Plan)


# what the runs look like


def test_what_the_runs_look_like_is_a_warning(tmp_path):
    """Runs that fall into two groups are told with their values and units, and nothing is decided by it."""
    noise = spread(1, 20), spread(1, 20, seed=2)
    modes = [1.0, 2.0] * 10
    runs = runs_of(
        {
            "base": [5000 * n for n in noise[0]],
            "head": [5000 * n * m for n, m in zip(noise[1], modes, strict=True)],
        }
    )
    verdict = one(tmp_path, "{ns/op: +200%}", runs, look=3)
    assert verdict.outcome is Outcome.WITHIN
    assert verdict.comparison is not None
    (groups,) = (text for text in verdict.comparison.warnings if "two groups" in text)
    assert re.match(r"head runs fall into two groups, around [45]\S* µs and (9|10)\S* µs; ", groups)
    steady = one(tmp_path, "{ns/op: +10%}", SAME)
    assert steady.comparison is not None
    assert steady.comparison.warnings == ()


def test_noise_that_decides_nothing_is_not_looked_at(tmp_path):
    """Runs in two groups a thousandth apart are nobody's concern where ten percent are allowed."""
    modes = [1000.0, 1001.0] * 10
    runs = runs_of({"base": modes, "head": modes[::-1]}, "B/op")
    loose, tight = (one(tmp_path, f"{{B/op: {limit}}}", runs, look=3) for limit in ("+10%", "+0.1%"))
    assert loose.comparison.warnings == ()
    assert any("two groups" in warning for warning in tight.comparison.warnings)


def test_who_ran_first_is_looked_at(tmp_path):
    """A side that is slower whenever it runs second shows as an effect of the order, unless nothing took turns."""

    def turns(took: bool):
        second = [i % 2 == 0 for i in range(20)]  # the head runs second in every other pair
        return [
            replace(
                run(side, i, values={"ns/op": number * (1.2 if second[i] == (side == "head") else 1.0)}),
                position=int(second[i] == (side == "head")) if took else 0,
            )
            for side, seed in (("base", 1), ("head", 2))
            for i, number in enumerate(spread(1000, 20, seed=seed))
        ]

    def warnings(took: bool):
        return " ".join(one(tmp_path, "{ns/op: +100%}", turns(took), look=3).comparison.warnings)

    assert "pairs that ran base first differ" in warnings(took=True)
    assert "pairs that ran" not in warnings(took=False)


def test_a_tally():
    """Settled verdicts are counted by outcome, the others as open, the most frequent first."""
    question = object()

    def verdict(outcome, settled=True):
        return Verdict(question=question, key=None, outcome=outcome, settled=settled)

    found = [
        verdict(Outcome.INCONCLUSIVE, settled=False),
        *[verdict(Outcome.WITHIN)] * 2,
        verdict(Outcome.OVER),
    ]
    assert tally(found) == "2 within, 1 open, 1 over"
    assert tally([]) == ""
