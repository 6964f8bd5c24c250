"""The whole way on GitHub: a pull request of a fork, both workflows of `examples/`, and the comment at the end."""

from __future__ import annotations

import json
import os
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import cmarkgfm
import yaml
from cmarkgfm.cmark import Options
from composite import CANARIES, COMMENT, ROOT, RUN, Finished, Job, evaluate, go_caches
from fakehub import REPOSITORY, REPOSITORY_ID, TOKEN, Hub
from gitproject import commit, git
from oracles import Page
from origin import Hosted
from test_patches import EXAMPLE, demo
from test_render import TAGS
from watched import watched
from workflow_commands import commands

GOLDEN = Path(__file__).parent / "testdata" / "way"
NUMBER, FORK = 4, "somebody/till"

#: What a stranger may choose: a branch, a commit message, a benchmark, and a region, which may be any bytes.
BRANCH = "x;$(id)`|<img/src=x/onerror=alert(1)>@everyone"
MESSAGE = "::error::@everyone #1\n\n##[set-env name=X]y"
NAME = "|`<b>@everyone</b>`::error::#1##[add-path]https://evil.test/"
REGION = "\u202e::stop-commands::x\x1b[31m<img src=x>`|@everyone#1"

#: What the branch adds to the patch; Go reads strings as JSON writes them.
NAMED = f"""package fanout

import (
	"context"
	"runtime/trace"
	"testing"
)

func BenchmarkNamed(b *testing.B) {{
	b.Run({json.dumps(NAME)}, func(b *testing.B) {{
		client := Dial()
		defer client.Close()
		wanted := articles(8)
		b.ResetTimer()
		for i := 0; i < b.N; i++ {{
			region := trace.StartRegion(context.Background(), {json.dumps(REGION)})
			if _, err := client.LoadAll(context.Background(), wanted); err != nil {{
				b.Fatal(err)
			}}
			region.End()
		}}
	}})
}}
"""

#: The base's own rules for whatever is called as it likes, and caps, as there is nothing to compare it with.
RULES = '  "fanout/Benchmark*": {goroutine-leak.count: {max: 10}, "region[*].count": {max: 1000000}}\n'

#: What the patch does, and what the second push does in its place.
LEAK = "\tgo func() {\n\t\t<-ctx.Done()\n\t\tcancelled.Store(true)\n\t}()\n"
FIXED = "\tstop := context.AfterFunc(ctx, func() { cancelled.Store(true) })\n\tdefer stop()\n"

#: As short as it may be for some operations in a run; what is judged are whole numbers of events.
QUICK = {"pairs": "6", "run-time": "50ms", "select": "Named or goroutine-leak", "changed-packages": "true"}

#: What differs from one run and machine to the next, and what stands in its place in a golden file.
MEASURED = (
    (r"seed \d+", "seed NUMBER"),
    (r"\b[0-9a-f]{40}\b|\b[0-9a-f]{12}\b|\b[0-9a-f]{10}\b", "COMMIT"),
    (r"(?<=\| )[+−×]?[\d.,]+\s?[kM%]?( \[[^\]]*\])?( per run)?(?= \|)", "NUMBER"),
    (r"\+?[\d.]+ goroutines?(/op| more per operation outlive)s?", r"NUMBER goroutines\1"),
    (r"(?s)<details><summary>Doubts about single metrics.*?</details>\n\n", ""),
    (r"(beyond its (?:cap|budget)), (by the same in every pair|even after allowing [^|]*?)(?= \|)", r"\1"),
    (r"(runs of (?:base|head) by `[^`]+`: )[\d.,]+[kM]?", r"\1NUMBER"),
    (r"p (below )?[\d.]+ adjusted", "p NUMBER adjusted"),
    (r" Per operation[:,] .*", ""),
    (r"(?m)^  in .+?;", "  in TIME;"),
    (r"\n- (others disturbed|tracer:) .*", ""),
    (r"- `(os|arch|kernel|cpu|cores|memory|watched|quota)`: .*\n", ""),
    (r"`go1\.[\w.]+`", "`GO`"),
    (r"· `[^`]+` · GOMAXPROCS `\d+`", "· `CPU` · GOMAXPROCS `NUMBER`"),
    (r"`gomaxprocs`: `\d+`", "`gomaxprocs`: `NUMBER`"),
    (r"pytest-gotrace: `[\w.+]+`", "pytest-gotrace: `VERSION`"),
    (r"```\n {8}[^`]*```", "```\nPICTURE\n```"),
)


class Shop(Hosted):
    """The example on GitHub, and a stranger's branch of it."""

    def __init__(self, root: Path) -> None:
        super().__init__(demo().make_repository(root))
        budget = (root / "gotrace.yaml").read_text(encoding="utf-8")
        commit(root, "Caps", gotrace_dot_yaml=budget.replace("budgets:\n", f"budgets:\n{RULES}", 1))
        git(root, "branch", BRANCH)

    def regress(self) -> str:
        """The patch, and a benchmark that is called as a stranger likes; the commit that is pushed."""
        with self._branch():
            git(self.root, "apply", EXAMPLE / "regressions" / "goroutine-leak.patch")
            return commit(self.root, MESSAGE, fanout__named_test_dot_go=NAMED)

    def mend(self) -> str:
        """The same without the leak."""
        with self._branch():
            text = (self.root / "fanout" / "fanout.go").read_text(encoding="utf-8")
            assert LEAK in text
            return commit(self.root, MESSAGE, fanout__fanout_dot_go=text.replace(LEAK, FIXED))

    @contextmanager
    def _branch(self) -> Iterator[None]:
        git(self.root, "checkout", "--quiet", BRANCH)
        yield
        git(self.root, "checkout", "--quiet", "main")


def workflow(name: str) -> dict[str, dict]:
    """The steps of the one job of an example workflow, by what they use."""
    text = (ROOT / "examples" / "workflows" / f"{name}.yml").read_text(encoding="utf-8")
    (job,) = yaml.safe_load(text)["jobs"].values()
    return {step["uses"].partition("@")[0].partition("/")[2]: step for step in job["steps"]}


@dataclass
class Way:
    """Pull request 4 of a fork on its way: GitHub, runners, and everything that was said on the way."""

    hub: Hub
    root: Path
    shop: Shop
    said: list[Finished] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.measuring, self.posting = (watched(self.root / name) for name in ("measuring", "posting"))

    def push(self, run: int, head: str) -> tuple[Finished, Finished]:
        """A commit comes in: the first workflow runs, and when it has ended the second one."""
        fork = self.hub.repository(8002, FORK)
        self.hub.pulls.clear()
        self.hub.pull(NUMBER, sha=head, branch=BRANCH, head=fork)
        self.hub.run(run, sha=head, branch=BRANCH, head_repository=fork)
        self.said += self.gate(run, head), self.comment(run)
        self.bodies += self.hub.bodies
        return self.said[-2], self.said[-1]

    def gate(self, run: int, head: str) -> Finished:
        """`fork-safe-gate.yml`: measured on a runner of its own, and the artifact uploaded."""
        steps = workflow("fork-safe-gate")
        merged = self.shop.merge(NUMBER, head)
        workspace = self.shop.clone(
            self.root / f"workspace{run}",
            f"refs/pull/{NUMBER}/merge",
            depth=steps["checkout"]["with"]["fetch-depth"],
        )
        repository = {"id": 8002, "full_name": FORK}
        event = {"number": NUMBER, "pull_request": {"head": {"sha": head, "ref": BRANCH, "repo": repository}}}
        job = self._job(
            run,
            workspace,
            "pull_request",
            event,
            sha=merged,
            ref=f"refs/pull/{NUMBER}/merge",
            base_ref="main",
            head_ref=BRANCH,
        )
        given = {name: str(value) for name, value in steps["pytest-gotrace/action"]["with"].items()}
        done = job.run(RUN, {**given, **QUICK, **self.measuring.inputs})
        upload = steps["upload-artifact"]["with"]
        path = Path(evaluate(upload["path"], {"steps": {"gotrace": {"outputs": done.outputs}}}))
        if path.is_file():
            self.hub.artifact(run, zipped(path), name=upload["name"])
        return done

    def comment(self, run: int) -> Finished:
        """`fork-safe-comment.yml`, on another runner, with nothing but the event of the first one's end."""
        steps = workflow("fork-safe-comment")
        workspace = self.root / f"empty{run}"
        workspace.mkdir()
        of_run = {
            name: self.hub.runs[run][name] for name in ("id", "event", "head_branch", "head_repository")
        }
        event = {"workflow_run": of_run, "repository": {"id": REPOSITORY_ID}}
        job = self._job(run + 1, workspace, "workflow_run", event)
        (step,) = steps.values()
        return job.run(COMMENT, {**step["with"], **self.posting.inputs})

    def _job(self, run: int, workspace: Path, name: str, event: dict, **github: str) -> Job:
        root = self.root / f"runner{run}"
        (root / "_temp").mkdir(parents=True)
        return Job(
            root=root,
            workspace=workspace,
            event_name=name,
            payload=event,
            github={
                "repository": REPOSITORY,
                "run_id": str(run),
                "run_attempt": "1",
                "token": TOKEN,
                **github,
            },
            environ={
                **go_caches(),
                "GOPROXY": "off",
                "GITHUB_API_URL": self.hub.url,
                "GITHUB_SERVER_URL": "https://github.test",
            },
        )


def zipped(path: Path) -> bytes:
    """One file as actions/upload-artifact packs it."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, path.name)
    return packed.getvalue()


def measured(body: str) -> str:
    """A comment without what was measured."""
    for pattern, name in MEASURED:
        body = re.sub(pattern, name, body)
    return body


def assert_golden(name: str, body: str) -> None:
    """The comment is the one that was last looked at; `GOTRACE_UPDATE_GOLDEN=1` writes it anew."""
    path = GOLDEN / f"{name}.md"
    if os.environ.get("GOTRACE_UPDATE_GOLDEN") == "1":
        path.write_text(measured(body), encoding="utf-8", newline="\n")
    assert measured(body) == path.read_text(encoding="utf-8"), body


#: Of what a stranger chose, whatever would do something outside of code.
SPELLS = ("@everyone", "<img", "<b>", "evil.test", "::", "##[", "$(id)", "onerror", "#1")


def visible(text: str) -> bool:
    """Whether nothing in it is a control character, turns text round, or takes no place."""
    return all(letter == "\n" or unicodedata.category(letter)[0] != "C" for letter in text)


def assert_only_text(markdown: str) -> None:
    """On GitHub's page a stranger's words are in code, every tag and every link is ours, and all can be seen."""
    page = Page(markdown)
    assert not [spell for spell in SPELLS if spell in page.text]
    assert set(page.tags) <= {*TAGS, "a", "<!--"}
    html = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    assert all(
        re.fullmatch(r"https://github\.test/shop/till/actions/runs/\d+/attempts/\d+", link)
        for link in re.findall(r'href="([^"]*)"', html)
    )
    assert visible(markdown)


def assert_no_orders(done: Finished, *ours: str) -> None:
    """The runner obeys these commands of ours; without the words that stop it, it would find no other one to obey."""
    assert {command.name for command in done.commands} <= set(ours)
    stopped = [command.data for command in commands(done.log) if command.name == "stop-commands"]
    assert {command.name for command in commands(done.log)} <= {*ours, "stop-commands", *stopped}
    assert visible(done.log)


def everything(way: Way) -> Iterator[tuple[str, bytes]]:
    """Whatever was written or sent on the way, and where."""
    for path in way.root.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()
    for done in way.said:
        yield "the log, the outputs and the summary", repr(done).encode()
    yield "the comments", "".join(way.hub.bodies).encode()
    yield "the addresses of requests", " ".join(map(str, way.hub.seen)).encode()
    yield "what downloads were sent", repr(way.hub.downloads).encode()


def test_the_whole_way(hub, tmp_path):
    """A regression of a fork becomes one comment, its fix edits the same to green, and nothing of either gets out.

    What a stranger chose is text wherever it comes; no token is written anywhere; only GitHub is connected to.
    """
    way = Way(hub, tmp_path, Shop(tmp_path / "shop"))

    gated, commented = way.push(11, way.shop.regress())
    assert (gated.code, gated.outputs["conclusion"]) == (1, "regression"), gated.log
    assert (commented.code, commented.outputs["posted"]) == (0, "created"), commented.log
    assert commented.outputs["pull-request"] == str(NUMBER)
    assert_golden("regression", hub.bodies[0])
    assert NAME.replace("|", r"\|") in hub.bodies[0]

    gated, commented = way.push(21, way.shop.mend())
    assert (gated.code, gated.outputs["conclusion"]) == (0, "pass"), gated.log
    assert (commented.code, commented.outputs["posted"]) == (0, "updated"), commented.log
    (only,) = hub.comments
    assert commented.outputs["comment-id"] == way.said[1].outputs["comment-id"] == str(only["id"])
    assert only["body"].startswith("<!-- pytest-gotrace:v1 key=default run=21 attempt=1 -->\n### ✅ ")
    assert_golden("fixed", only["body"])

    for done, ours in zip(way.said, ("error", "notice", "error", "notice"), strict=True):
        assert_no_orders(done, ours)
    for markdown in (*way.bodies, *(done.summary for done in way.said)):
        assert_only_text(markdown)
    for file in tmp_path.glob("runner*/_temp/gotrace/report.html"):
        assert not [spell for spell in ("<img", "<b>@") if spell in file.read_text(encoding="utf-8")]
    for file in tmp_path.glob("runner*/_temp/gotrace/junit.xml"):
        named = {one.get("value") for one in ElementTree.parse(file).iter("property")}
        assert f"fanout/BenchmarkNamed/{NAME}" in named
    for where, written in everything(way):
        assert not [secret for secret in (TOKEN, *CANARIES.values()) if secret.encode() in written], where
    assert {Path(program).name for program in way.measuring.programs} >= {"git", "go"}
    assert way.measuring.connections == set()
    assert way.posting.connections == {urlsplit(url).netloc for url in (hub.url, hub.files)}
    assert way.posting.programs == set()
