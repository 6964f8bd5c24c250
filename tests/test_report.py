from dataclasses import replace

import pytest
import sample_reports as samples

from pytest_gotrace.errors import ExitCode
from pytest_gotrace.report import exit_code


def with_verdicts(*entries, **fields):
    return replace(samples.QUIET, verdicts=entries, **fields)


class TestExitCode:
    OVER, WARNED = samples.OVER, replace(samples.OVER, level="warn")

    @pytest.mark.parametrize(
        ("report", "code"),
        [
            pytest.param(samples.GREEN, ExitCode.PASS, id="within and identical"),
            pytest.param(samples.REGRESSION, ExitCode.OVER_BUDGET, id="over"),
            pytest.param(with_verdicts(WARNED), ExitCode.PASS, id="over, only a warning"),
            pytest.param(with_verdicts(samples.WAIVED), ExitCode.PASS, id="over, waived"),
            pytest.param(with_verdicts(OVER, samples.FAILED), ExitCode.OVER_BUDGET, id="over before failed"),
            pytest.param(samples.BROKEN, ExitCode.MEASUREMENT_FAILED, id="failed before missing"),
            pytest.param(
                with_verdicts(samples.WITHIN, failures=(samples.FAILURE,)),
                ExitCode.MEASUREMENT_FAILED,
                id="a failure that no rule is about",
            ),
            pytest.param(
                with_verdicts(replace(samples.FAILED, level="warn")),
                ExitCode.MEASUREMENT_FAILED,
                id="failed at level warn",
            ),
            pytest.param(with_verdicts(samples.MISSING), ExitCode.OVER_BUDGET, id="missing"),
            pytest.param(
                with_verdicts(replace(samples.MISSING, level="warn")),
                ExitCode.PASS,
                id="missing, only a warning",
            ),
            pytest.param(samples.UNDECIDED, ExitCode.PASS, id="inconclusive"),
            pytest.param(
                replace(samples.UNDECIDED, on_inconclusive="fail"),
                ExitCode.OVER_BUDGET,
                id="inconclusive must fail",
            ),
            pytest.param(
                with_verdicts(replace(samples.INCONCLUSIVE, level="warn"), on_inconclusive="fail"),
                ExitCode.PASS,
                id="inconclusive must fail, but only a warning",
            ),
            pytest.param(with_verdicts(samples.NEW), ExitCode.PASS, id="new"),
            pytest.param(with_verdicts(), ExitCode.NOTHING_MATCHED, id="nothing judged"),
        ],
    )
    def test_the_gravest_finding_decides(self, report, code):
        """The exit code is that of the gravest thing that happened."""
        assert exit_code(report) == code


def test_counts_and_worst():
    """Every outcome has a count, worst first, and the worst is the first that happened."""
    assert list(samples.BROKEN.counts.items()) == [
        ("over", 0),
        ("failed", 1),
        ("missing", 1),
        ("inconclusive", 0),
        ("new", 1),
        ("within", 1),
        ("identical", 1),
    ]
    assert samples.BROKEN.worst == "failed"
    assert samples.GREEN.worst == "within"
    assert samples.QUIET.worst is None
