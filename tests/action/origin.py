"""A repository on GitHub's side, and clones of it as actions/checkout makes them."""

from __future__ import annotations

from pathlib import Path

from gitproject import commit, git

MODULE = "module example.com/purse\n\ngo 1.22\n"

CODE = """package purse

const Coins = {coins}

var purse []byte

func Pay() {{
	for i := 0; i < Coins; i++ {{
		purse = make([]byte, 64)
	}}
}}
"""

TEST = """package purse

import "testing"

func BenchmarkPay(b *testing.B) {
	for i := 0; i < b.N; i++ {
		Pay()
	}
}
"""

BUDGET = "version: 1\nbudgets:\n  BenchmarkPay: {{allocs/op: {limit}}}\n"

#: As short as it may be.
FAST = {"pairs": "6", "run-time": "5ms"}


class Hosted:
    """A repository on GitHub's side, as it lies at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def main(self) -> str:
        """Where the default branch is."""
        return git(self.root, "rev-parse", "main")

    def merge(self, number: int, head: str) -> str:
        """The merge commit that GitHub makes of pull request `number`, as its ref says."""
        main = self.main
        git(self.root, "checkout", "--quiet", "--detach", main)
        git(self.root, "merge", "--quiet", "--no-ff", "-m", f"Merge {head} into {main}", head)
        merged = git(self.root, "rev-parse", "HEAD")
        git(self.root, "update-ref", f"refs/pull/{number}/merge", merged)
        git(self.root, "checkout", "--quiet", "main")
        return merged

    def clone(self, place: Path, ref: str, *, depth: int = 2, remote: str = "") -> Path:
        """What actions/checkout leaves: one fetched commit, detached, without branches of its own."""
        place.mkdir(parents=True)
        git(place, "init", "--quiet", "--initial-branch=main")
        git(place, "remote", "add", "origin", f"file://{self.root}")
        deep = [f"--depth={depth}"] if depth else []
        refspec = f"+{git(self.root, 'rev-parse', ref)}:{remote}" if remote else ref
        git(place, "fetch", "--quiet", "--no-tags" if depth else "--tags", *deep, "origin", refspec)
        git(place, "checkout", "--quiet", "--detach", remote or "FETCH_HEAD")
        return place


class Origin(Hosted):
    """`main` with a tag, and pull request 7 that pays with more coins and allows itself to."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        root.mkdir(parents=True)
        git(root, "init", "--quiet", "--initial-branch=main")
        files = {
            "go_dot_mod": MODULE,
            "purse_test_dot_go": TEST,
            "gotrace_dot_yaml": BUDGET.format(limit="+10%"),
        }
        self.first = commit(root, "first", purse_dot_go=CODE.format(coins=1), **files)
        git(root, "tag", "v1.0.0")
        commit(root, "say it", docs__how_dot_md="How to pay.\n")
        self.head, self.merged = self._pull_request(7, coins=5, limit="+900%")

    def _pull_request(self, number: int, coins: int, limit: str) -> tuple[str, str]:
        git(self.root, "checkout", "--quiet", "-b", f"pull-{number}", self.first)
        head = commit(
            self.root,
            "pay more",
            purse_dot_go=CODE.format(coins=coins),
            gotrace_dot_yaml=BUDGET.format(limit=limit),
        )
        return head, self.merge(number, head)
