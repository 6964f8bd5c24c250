"""The YAML tree: a file that is no YAML has a line, and a hostile one costs no more than its length."""

from __future__ import annotations

import pytest

from pytest_gotrace.errors import BudgetError
from pytest_gotrace.yamltree import MAX_BYTES, Place, read

QUOTES = "; a name that begins with * must be in quotes"
NO_ANCHORS = "anchors (&) and aliases (*) are not allowed" + QUOTES

LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
)


@pytest.fixture
def tree(tmp_path):
    """The tree of a text or of bytes."""

    def read_text(text: str | bytes) -> Place:
        path = tmp_path / "gotrace.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read(path)

    return read_text


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "the file is empty; `gotrace init` writes one to start from"),
        ("\n# nothing\n", 1, "the file is empty; `gotrace init` writes one to start from"),
        ("a: b: c", 1, "not YAML: mapping values are not allowed here"),
        ("a: 1\nb: 'open", 2, "not YAML: found unexpected end of stream"),
        ("a:\n\tb: 1", 2, "found character '\\t' that cannot start any token; indent with blanks, not with tabs"),
        ("a: {region[x].p99: 1}", 1, "between { and }, a name that has brackets must be in quotes"),
        ("a: 1\n---\nb: 2", 2, "not YAML: but found another document; only one document (---) is allowed"),
        ("a: 1\nb:\n  */B: 1", 3, f"but found '/'{QUOTES}"),
        ("a: 1\nb:\n  *B: 1", 3, NO_ANCHORS),
        ("a: 1\nb: &x 1", 2, NO_ANCHORS),
        (LAUGHS, 1, NO_ANCHORS),
        ("a: !!python/object/apply:os.system ['true']", 1, "tags (!) are not allowed"),
        ("a: !local 1", 1, "tags (!) are not allowed"),
        ("a: 1\nb: !!str 1", 2, "tags (!) are not allowed"),
        ("- x\n" * 20_001, 20_000, "more than 20000 names and values, which no budget needs"),
        ("a: [[[[[[[[[1]]]]]]]]]", 1, "nested more than 8 deep"),
        ("a: 1\nb\x07: 2", 2, "not YAML: character '\\x07' is not allowed"),
        ('a: 1\n"b\\e[31m": 2', 2, "character that cannot be printed in 'b\\x1b[31m'"),
        ('a: 1\n"b\\ud800": 2', 2, "character that cannot be printed in 'b\\ud800'"),
        ('a: 1\n"b\\UFFFFFFFF": 2', 2, "not YAML: "),
        (b"a: 1\n# caf\xe9\n", 2, "not UTF-8: byte 0xe9; save the file as UTF-8"),
        ("a: 1".encode("utf-16"), 1, "not UTF-8: byte 0x"),
        ("a: " + "x" * MAX_BYTES, None, "larger than 1 MiB, which no budget needs"),
    ],
)  # fmt: skip
def test_what_is_no_plain_yaml_is_refused_with_its_line(tree, text, line, message):
    """A file that cannot be read as plain YAML is refused where it goes wrong, with what to do about it."""
    with pytest.raises(BudgetError) as caught:
        tree(text)
    assert message in caught.value.message
    assert caught.value.line == line


@pytest.mark.parametrize(
    "piece", ["[", "{", "- ", "? ", "[a: ", "'", '"', "&a ", "!a ", "|\n", "%", "- - -\n", "#\n", ": "]
)
@pytest.mark.timeout(60)
def test_a_hostile_file_is_refused_before_long(tree, piece):
    """Nothing can be repeated up to the limit of size so that refusing it takes a minute."""
    with pytest.raises(BudgetError):
        tree((piece * MAX_BYTES)[:MAX_BYTES]).entries("a mapping")


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path):
    """A missing file names the command that writes one; a directory is no file."""
    with pytest.raises(BudgetError, match="no such file; `gotrace init` writes one to start from"):
        read(tmp_path / "gotrace.yaml")
    with pytest.raises(BudgetError, match="cannot be read: Is a directory"):
        read(tmp_path)


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tree):
    """A file from any editor reads the same, lines included."""
    entries = tree(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n").entries("a mapping")
    assert [(name, entry.text(), entry.line) for name, entry in entries.items()] == [
        ("a", "1", 1),
        ("b", "2", 2),
    ]


def test_values_stay_text(tree):
    """Nothing is converted: what YAML calls a boolean, a date, or an octal number is what was written."""
    entries = tree("a: off\nb: 2026-12-31\nc: 010\nd: +3\ne: '~'").entries("a mapping")
    assert [entry.text() for entry in entries.values()] == ["off", "2026-12-31", "010", "+3", "~"]
