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


@pytest.fixture(scope="session")
def served():
    """A server, which one test after the other has to itself."""
    from fakehub import Hub, serving

    with serving(Hub()) as hub:
        yield hub


@pytest.fixture
def hub(served):
    """GitHub, empty; whatever it was asked and answered must fit its description."""
    served.reset()
    yield served
    assert served.violations == []


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests; each opens windows of its own."""
    from docs.chromium import chromium

    with chromium() as found:
        yield found


@pytest.fixture
def visit(browser, tmp_path):
    """Opens a page from the disk; at the end no error was said, and only the file and `allowed` were asked for."""
    contexts, faults, asked, expected = [], [], set(), set()
    file = tmp_path / "visited.html"

    def open_page(text, *allowed, **how):
        file.write_text(text, encoding="utf-8", newline="\n")
        expected.update((file.as_uri(), *allowed))
        context = browser.new_context(**how)
        contexts.append(context)
        context.on("request", lambda request: asked.add(request.url))
        context.on("console", lambda message: faults.append(message.text))
        context.on("weberror", lambda error: faults.append(str(error.error)))
        context.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
        page = context.new_page()
        page.goto(file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []
    assert asked == expected
