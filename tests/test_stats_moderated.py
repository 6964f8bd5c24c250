import numpy as np
import pytest
from scipy import special, stats

from pytest_gotrace.stats.moderated import analyse, fit_prior, trigamma_inverse, winsorise


def noise(cells, pairs, seed=0, sd=1.0):
    return np.random.default_rng(seed).normal(scale=sd, size=(cells, pairs))


def groups(cells, kind="ns/op"):
    return [("paired", kind)] * cells


def test_without_others_it_is_the_paired_t_test():
    """Four cells are too few for a prior: then p-values and intervals are those of scipy's t-test."""
    d = noise(4, 9) * [[1.0], [2.0], [3.0], [4.0]]
    d = np.clip(d, *np.quantile(d, [0.2, 0.8], axis=1)[:, :, None])  # nothing far enough out to be pulled in
    effects = analyse(d, groups(4))
    for greater, less, half, row in zip(
        effects.p_greater(0.1), effects.p_less(0.1), effects.half_width(0.95), d, strict=True
    ):
        assert greater == pytest.approx(stats.ttest_1samp(row, 0.1, alternative="greater").pvalue)
        assert less == pytest.approx(stats.ttest_1samp(row, 0.1, alternative="less").pvalue)
        interval = stats.ttest_1samp(row, 0).confidence_interval(0.95)
        assert half == pytest.approx((interval.high - interval.low) / 2)
    assert (effects.clipped == 0).all()


@pytest.mark.parametrize("value", [1e-9, 1e-3, 0.1, 1.0, 7.0, 1e4, 1e9])
def test_trigamma_inverse(value):
    """trigamma of the inverse gives the value back."""
    assert float(special.polygamma(1, trigamma_inverse(value))) == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize(("d0", "s0"), [(4.0, 0.2), (12.0, 3.0)])
def test_prior_is_recovered(d0, s0):
    """From variances drawn as the model says, the prior's degrees of freedom and variance come back."""
    rng = np.random.default_rng(11)
    true = d0 * s0**2 / rng.chisquare(d0, 20_000)
    seen = true * rng.chisquare(5, 20_000) / 5
    found_d0, found_s0 = fit_prior(seen, np.full(20_000, 5.0))
    assert found_d0 == pytest.approx(d0, rel=0.1)
    assert found_s0 == pytest.approx(s0**2, rel=0.03)


#: Published by limma up to 3.61.7, tests/limma-Tests.Rout.save, "Similar to Mette Langaas": five genes, the last of
#: which has two values less. `t` and `p.value` are of the first contrast.
LIMMA = {
    "sigma": [1.3425032, 0.4647155, 1.1993444, 0.9428569, 0.9421509],
    "df.residual": [6, 6, 6, 6, 4],
    "coefficient": [3.537333, 4.355578, 3.197645, 2.697734, 3.502304],
    "stdev.unscaled": [0.8164966, 0.8164966, 0.8164966, 0.8164966, 1.1547005],
    "df.prior": 9.306153,
    "s2.prior": 0.923179,
    "s2.post": [1.2677996, 0.6459499, 1.1251558, 0.9097727, 0.9124980],
    "t": [3.847656, 6.637308, 3.692066, 3.464003, 3.175181],
    "df.total": [15.30615, 15.30615, 15.30615, 15.30615, 13.30615],
    "p.value": [1.529450e-03, 7.144893e-06, 2.109270e-03, 3.381970e-03, 7.124839e-03],
}


def test_the_prior_is_limmas():
    """limma's published standard deviations give the prior variance and degrees of freedom that limma published."""
    df, variance = fit_prior(np.array(LIMMA["sigma"]) ** 2, np.array(LIMMA["df.residual"], dtype=float))
    assert df == pytest.approx(LIMMA["df.prior"], rel=1e-6)
    assert variance == pytest.approx(LIMMA["s2.prior"], rel=1e-6)


def test_t_and_p_are_limmas_where_noise_is_borrowed_alike():
    """Where we draw variances as far as limma does, t and p are those that limma published; elsewhere t is smaller."""
    pairs = np.array(LIMMA["df.residual"]) + 1
    shape = np.full((5, 7), np.nan)
    for row, n in enumerate(pairs):
        even = np.linspace(-1, 1, n)
        shape[row, :n] = even / even.std(ddof=1)
    # limma's coefficients belong to another design; at this mean they are as many standard errors from 0
    mean = np.array(LIMMA["coefficient"]) / LIMMA["stdev.unscaled"] / np.sqrt(pairs)
    effects = analyse(shape * np.array(LIMMA["sigma"])[:, None] + mean[:, None], groups(5))
    t = effects.estimate / effects.standard_error
    alike = np.array(LIMMA["sigma"]) ** 2 <= np.array(LIMMA["s2.post"])
    assert alike.tolist() == [False, True, False, True, True]
    np.testing.assert_allclose(effects.df, LIMMA["df.total"], rtol=1e-6)
    np.testing.assert_allclose(effects.variance[alike], np.array(LIMMA["s2.post"])[alike], rtol=1e-6)
    np.testing.assert_allclose(t[alike], np.array(LIMMA["t"])[alike], rtol=1e-6)
    np.testing.assert_allclose(
        2 * effects.p_greater(0.0)[alike], np.array(LIMMA["p.value"])[alike], rtol=1e-4
    )
    assert (t[~alike] < np.array(LIMMA["t"])[~alike]).all()


def test_equal_noise_is_shared_fully():
    """Cells that are all equally noisy lend each other as much as is allowed: 50 degrees of freedom."""
    d = noise(20, 6)
    effects = analyse(d / winsorise(d)[0].std(axis=1, ddof=1, keepdims=True), groups(20))
    assert (effects.prior_df == 50).all()
    assert effects.df[0] == 55


def test_no_cell_counts_as_much_quieter_than_itself():
    """The variance used is never less than halfway from the shared one to the cell's own."""
    d = noise(40, 6) * np.geomspace(0.1, 10, 40)[:, None]
    effects = analyse(d, groups(40))
    own = winsorise(d)[0].var(axis=1, ddof=1)
    untouched = effects.clipped == 0
    shared = (effects.prior_df * effects.prior_variance + 5 * own) / (effects.prior_df + 5)
    expected = np.maximum(shared, (shared + own) / 2)
    assert untouched.sum() > 20
    np.testing.assert_allclose(effects.variance[untouched], expected[untouched])


def test_kinds_keep_to_themselves():
    """With eight cells of a kind their noise is shared among them only; smaller kinds share with all."""
    d = noise(20, 10) * np.repeat([1.0, 100.0, 1.0], [8, 8, 4])[:, None]
    kinds = [("paired", kind) for kind in ["quiet"] * 8 + ["loud"] * 8 + ["few"] * 4]
    effects = analyse(d, kinds)
    assert effects.prior_variance[0] < 3
    assert effects.prior_variance[8] > 3000
    everybody = analyse(d, groups(20))
    assert effects.prior_variance[16] == everybody.prior_variance[16]


def test_forms_never_share():
    """Single runs and differences of pairs vary differently, so four of one get no prior from the other."""
    effects = analyse(noise(12, 8), [("paired", "a")] * 8 + [("capped", "a")] * 4)
    assert (effects.prior_df[:8] > 0).all()
    assert (effects.prior_df[8:] == 0).all()


def test_an_outlying_pair_is_pulled_in():
    """One of ten values far off is moved to three MADs from the median and counted."""
    d = np.array([[-4.0, -3, -2, -1, 0, 0, 1, 2, 3, 100]])
    pulled, count = winsorise(d)
    assert count.tolist() == [1]
    assert pulled[0, -1] == pytest.approx(3 * 1.4826 * 2)
    assert pulled[0, :-1].tolist() == d[0, :-1].tolist()


def test_many_outliers_are_the_noise():
    """Three of ten values far off are left alone."""
    d = np.array([[-1.0, 0, 1, -1, 0, 1, 0, 100, 100, -100]])
    pulled, count = winsorise(d)
    assert count.tolist() == [0]
    assert pulled.tolist() == d.tolist()


def test_without_spread_nothing_is_outlying():
    """If most values are equal there is no scale to call another one an outlier."""
    assert winsorise(np.array([[0.0, 0, 0, 0, 0, 0, 0, 0, 0, 5]]))[1].tolist() == [0]


def test_pulling_in_costs_degrees_of_noise():
    """The variance after pulling in is that of the values kept, scaled by (N-1) N / (h (h-1))."""
    d = np.array([[-4.0, -3, -2, -1, 0, 0, 1, 2, 3, 100]])
    effects = analyse(d, groups(1))
    assert effects.variance[0] == pytest.approx(winsorise(d)[0].var(ddof=1) * (9 * 10) / (9 * 8))


def test_an_incomplete_pair_is_as_if_it_was_not_there():
    """A pair without a value changes nothing but the number of pairs."""
    d = noise(4, 7)
    gappy = np.insert(d, 2, np.nan, axis=1)
    a, b = analyse(d, groups(4)), analyse(gappy, groups(4))
    assert b.pairs.tolist() == [7] * 4
    np.testing.assert_allclose(a.p_greater(0.0), b.p_greater(0.0))


def test_a_cell_without_noise_is_exact():
    """A cell whose pairs all agree has no doubt, takes no noise from others and gives them none."""
    d = np.concatenate([noise(10, 6), np.full((1, 6), 0.25)])
    effects = analyse(d, groups(11))
    assert effects.exact.tolist() == [False] * 10 + [True]
    assert effects.p_greater(0.2)[-1] == 0
    assert effects.p_greater(0.25)[-1] == 1
    assert effects.prior_variance[0] == analyse(d[:10], groups(10)).prior_variance[0]


def test_one_pair_says_nothing():
    """With a single pair and no other cell nothing is known of the noise."""
    effects = analyse(np.array([[0.3, np.nan]]), groups(1))
    assert effects.pairs.tolist() == [1]
