"""What all tests may use."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from shopfront import Shop, copy

pytest_plugins = ["pytester"]

# The same examples in every run, and none that fails because the machine was busy.
settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def original(tmp_path_factory):
    """A shop that nobody changes."""
    return Shop(tmp_path_factory.mktemp("original") / "shop").open()


@pytest.fixture
def shop(original, tmp_path):
    """A shop of the test's own, with one commit."""
    return copy(original, tmp_path / "shop")
