"""Cut GitHub's own description of its REST API to what the fake offers: `python tests/github/cut_openapi.py DIRECTORY`.

DIRECTORY is where `npm pack @octokit/openapi` was unpacked; the slices go beside this file, with the license of the
description and the version it had. Nothing in them is changed, only left out.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "openapi"

#: File in the package to slice: github.com, and the oldest Enterprise Server that is described.
SLICES = {"api.github.com": "github", "ghes-3.17": "ghes"}

#: Every request that is made to GitHub's API.
REPOSITORY = "/repos/{owner}/{repo}"
OPERATIONS = {
    "/user": ("get",),
    f"{REPOSITORY}/actions/artifacts/{{artifact_id}}/{{archive_format}}": ("get",),
    f"{REPOSITORY}/actions/runs/{{run_id}}": ("get",),
    f"{REPOSITORY}/actions/runs/{{run_id}}/artifacts": ("get",),
    f"{REPOSITORY}/commits/{{commit_sha}}/pulls": ("get",),
    f"{REPOSITORY}/issues/comments/{{comment_id}}": ("patch", "delete"),
    f"{REPOSITORY}/issues/{{issue_number}}/comments": ("get", "post"),
    f"{REPOSITORY}/pulls": ("get",),
}

#: For readers, not for checks; they are most of the bytes.
_UNUSED = {"example", "examples", "description", "x-github", "externalDocs", "tags", "summary"}


def cut(whole: dict[str, Any]) -> dict[str, Any]:
    """The operations and every component that they reach, without what only a reader needs."""
    paths = {
        path: {
            part: _bare(found, names=False)
            for part, found in whole["paths"][path].items()
            if part in (*wanted, "parameters")
        }
        for path, wanted in OPERATIONS.items()
    }
    kept: dict[str, dict[str, Any]] = {}
    open_ = _references(paths)
    while open_:
        kind, name = open_.pop()
        part = _bare(whole["components"][kind][name], names=False)
        kept.setdefault(kind, {})[name] = part
        open_ |= {(k, n) for k, n in _references(part) if n not in kept.get(k, {})}
    return {
        "openapi": whole["openapi"],
        "info": {"title": whole["info"]["title"], "version": whole["info"]["version"]},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {kind: dict(sorted(parts.items())) for kind, parts in sorted(kept.items())},
    }


def _bare(node: Any, *, names: bool) -> Any:
    """Without `_UNUSED`, but for keys that are names: a field may be called `description`."""
    if isinstance(node, list):
        return [_bare(child, names=False) for child in node]
    if not isinstance(node, dict):
        return node
    return {
        key: ""
        if key == "description" and not names
        else _bare(child, names=key == "properties" and not names)
        for key, child in node.items()
        if names or key == "description" or key not in _UNUSED
    }


def _references(node: Any) -> set[tuple[str, str]]:
    if isinstance(node, list):
        return {found for child in node for found in _references(child)}
    if not isinstance(node, dict):
        return set()
    own = node.get("$ref")
    here = {tuple(own.split("/")[2:4])} if isinstance(own, str) else set()
    return here | {found for child in node.values() for found in _references(child)}  # type: ignore[return-value]


def main(directory: Path) -> None:
    """Write both slices, the license and where they come from."""
    HERE.mkdir(exist_ok=True)
    for source, name in SLICES.items():
        whole = json.loads((directory / "generated" / f"{source}.json").read_text(encoding="utf-8"))
        text = json.dumps(cut(whole), separators=(",", ":"))
        # No time and no name inside, so that the same description gives the same bytes.
        (HERE / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    shutil.copyfile(directory / "LICENSE", HERE / "LICENSE")
    version = json.loads((directory / "package.json").read_text(encoding="utf-8"))["version"]
    (HERE / "README.md").write_text(NOTICE.format(version=version), encoding="utf-8")


NOTICE = """Parts of GitHub's description of its REST API, from npm's `@octokit/openapi` {version} (MIT, see `LICENSE`),
cut by `tests/github/cut_openapi.py`: github.com and Enterprise Server 3.17, only what `gotrace comment` asks for,
without texts for readers. To renew them:

```
npm pack @octokit/openapi && tar xzf octokit-openapi-*.tgz
python tests/github/cut_openapi.py package
```
"""

if __name__ == "__main__":
    main(Path(sys.argv[1]))
