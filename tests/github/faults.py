"""What can go wrong between GitHub and us; each gets what would do the work, and answers in its place."""

from __future__ import annotations

import socket
from collections.abc import Callable

import flask
from fakehub import Fault, Hub, told


def refuses(status: int, message: str = "no", **headers: str) -> Fault:
    """An answer as GitHub gives it; underscores in names of headers are hyphens."""

    def fault(_: Callable[[], flask.Response]) -> flask.Response:
        answer = told(status, message)
        answer.headers |= {name.replace("_", "-"): value for name, value in headers.items()}
        return answer

    return fault


def page_of_html(status: int) -> Fault:
    """What a load balancer says."""
    return lambda _: flask.Response("<html>Unicorn!</html>", status=status, mimetype="text/html")


def says(text: bytes, status: int = 200, **headers: str) -> Fault:
    """A body that is not what was asked for."""
    return lambda _: flask.Response(
        text,
        status=status,
        mimetype="application/json",
        headers={n.replace("_", "-"): v for n, v in headers.items()},
    )


def lost(done: bool) -> Fault:
    """The connection breaks: after the work is done, or before."""

    def fault(proceed: Callable[[], flask.Response]) -> flask.Response:
        if done:
            proceed()
        flask.request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return flask.Response(status=500)

    return fault


def cut(proceed: Callable[[], flask.Response]) -> flask.Response:
    """The work is done, and the connection breaks in the middle of the answer."""
    answer = proceed()
    data = answer.get_data()
    connection = flask.request.environ["werkzeug.socket"]
    head = (
        f"HTTP/1.1 {answer.status}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    connection.sendall(head.encode() + data[: len(data) // 2])
    connection.shutdown(socket.SHUT_RDWR)
    return flask.Response(status=500)


def elsewhere(link: str) -> Fault:
    """The right answer, with a next page at another address."""

    def fault(proceed: Callable[[], flask.Response]) -> flask.Response:
        answer = proceed()
        answer.headers["Link"] = f'<{link}>; rel="next"'
        return answer

    return fault


def silent(hub: Hub) -> Fault:
    """No answer while the test lasts."""

    def fault(_: Callable[[], flask.Response]) -> flask.Response:
        hub.over.wait(30)
        return flask.Response(status=500)

    return fault
