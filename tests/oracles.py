"""How GitHub reads what we write: its Markdown parser. (Its runner is in `workflow_commands`.)"""

from __future__ import annotations

from html.parser import HTMLParser

from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options


class Page(HTMLParser):
    """What GitHub's own parser makes of Markdown: the tags in order, and the text in and out of code."""

    def __init__(self, markdown):
        super().__init__(convert_charrefs=True)
        self.tags, self.ends, self.code, self.text, self._inside = [], [], [], "", 0
        self.feed(github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE))
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "code":
            self._inside += 1
            self.code.append("")

    def handle_endtag(self, tag):
        self.ends.append(tag)
        self._inside -= tag == "code"

    def handle_data(self, data):
        if self._inside:
            self.code[-1] += data
        else:
            self.text += data

    def handle_comment(self, data):
        self.tags.append("<!--")
