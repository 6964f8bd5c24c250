"""Which lines and functions a change touches, by real git."""

from __future__ import annotations

import pytest
from gitproject import commit, project

from pytest_gotrace.changes import Changes
from pytest_gotrace.checkout import open_repository

BEFORE = """\
package shop

import "fmt"

// First says something.
func First() {
	fmt.Println("one")
	fmt.Println("two")
	fmt.Println("three")
}

func Second() {
	fmt.Println("four")
}

func Third() {
	fmt.Println("five")
}
"""


@pytest.fixture
def changes_to(tmp_path):
    """What git says of a change of `shop/shop.go` and other files in a repository of its own."""
    root = project(tmp_path / "project")
    commit(root, shop__shop_dot_go=BEFORE)

    def changed(text, **others):
        commit(root, shop__shop_dot_go=text, **others)
        with open_repository(root) as repository:
            return repository.changes(repository.resolve("HEAD~1"), repository.resolve("HEAD"))

    return changed


def test_a_changed_line_and_its_function(changes_to):
    """A line that changed is touched, and so is every line of its function, but none of another function."""
    changes = changes_to(BEFORE.replace("two", "deux"))
    assert changes.lines == {"shop/shop.go": (range(8, 9),)}
    touched = [line for line in range(1, 19) if changes.touch("shop/shop.go", line)]
    assert touched[0] <= 6
    assert set(range(6, 11)) <= set(touched)
    assert not set(range(12, 19)) & set(touched)
    assert not changes.touch("other.go", 8)


def test_the_nearest_changed_line(changes_to):
    """A remark about any line of a touched function goes to the changed line next to it, about others nowhere."""
    changes = changes_to(BEFORE.replace("one", "un").replace("three", "trois").replace("five", "cinq"))
    assert changes.nearest("shop/shop.go", 6) == 7
    assert changes.nearest("shop/shop.go", 10) == 9
    assert changes.nearest("shop/shop.go", 16) == 17
    assert changes.nearest("shop/shop.go", 13) is None
    assert changes.nearest("other.go", 7) is None


def test_lines_that_are_gone(changes_to):
    """Where a function only lost lines, it is touched, and the line before them stands for them."""
    changes = changes_to(BEFORE.replace('\tfmt.Println("two")\n', ""))
    assert changes.lines == {"shop/shop.go": (range(7, 8),)}
    assert changes.touch("shop/shop.go", 9)
    assert changes.nearest("shop/shop.go", 8) == 7


def test_lines_that_look_like_a_diff(changes_to):
    """Lines of a file that look like the head of another file or of a hunk change nothing."""
    odd = "var text = `\n++ b/evil.go\n@@ -1 +1 @@\n-- a/evil.go\n`\n"
    changes = changes_to(BEFORE + odd, evil_dot_go="package evil\n")
    assert changes.lines == {"evil.go": (range(1, 2),), "shop/shop.go": (range(19, 24),)}


def test_only_go_files_and_all_their_names(changes_to):
    """Other files are left out, and a name in another script is a name like any other."""
    changes = changes_to(BEFORE, größe_dot_go="package shop\n", notes_dot_txt="five\n")
    assert list(changes.lines) == ["größe.go"]


def test_nothing_changed():
    """Without changes nothing is touched."""
    assert not Changes().touch("shop.go", 1)
