"""What goes wrong on the line and in answers is told apart by what a caller may do next."""

import json
import socket
import threading
import time
from contextlib import suppress

import pytest

from agent.errors import AnswerLost, Refused
from agent.jsonrpc import READS, Sick, is_read, request, result
from agent.line import IDLE_LIMIT_S, ROOM_BYTES, Line, ready


class FarEnd:
    """A server that answers each request with the next prepared bytes; b"" closes, None stays silent."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.heard = []
        self.dials = 0
        self._threads = []
        self._sockets = []

    def dial(self, within_s):
        self.dials += 1
        near, far = socket.socketpair()
        near.settimeout(within_s)
        self._sockets += [near, far]
        thread = threading.Thread(target=self._serve, args=(far,), daemon=True)
        thread.start()
        self._threads.append(thread)
        return near

    def _serve(self, sock):
        # Either side may have closed: that is what these tests are about.
        with suppress(OSError), sock:
            while piece := sock.recv(1 << 16):
                self.heard.append(piece)
                answer = self.answers.pop(0)
                if answer is not None:
                    sock.sendall(answer)
                    if not answer.endswith(b"\n\n"):
                        return

    def close(self):
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)


def reply(body, status="200 OK", more=b""):
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n".encode() + more
    return head + b"\r\n" + body


GOOD = reply(b"pong\n\n")


@pytest.fixture
def line_to():
    made = []

    def open_line(*answers, clock=None):
        far = FarEnd(*answers)
        line = Line(far.dial, clock=clock) if clock else Line(far.dial)
        made.append((far, line))
        return far, line

    yield open_line
    for far, line in made:
        line.drop()
        far.close()


def test_request_goes_out_in_one_piece_on_one_connection(line_to):
    far, line = line_to(GOOD, GOOD, GOOD)
    for _ in range(3):
        assert line.request("POST", "/jsonrpc/0", b"body", within_s=2).body == b"pong\n\n"
    assert far.dials == 1
    assert all(
        piece.startswith(b"POST /jsonrpc/0 HTTP/1.1\r\n") and piece.endswith(b"\r\n\r\nbody")
        for piece in far.heard
    )


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\n\r\nno length",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nlonger",
        None,
    ],
)
def test_no_whole_answer_is_lost_and_the_connection_is_dropped(line_to, answer):
    far, line = line_to(answer, GOOD)
    with pytest.raises(AnswerLost):
        line.request("POST", "/", b"x", within_s=0.5)
    assert len(far.heard) == 1
    assert line.request("POST", "/", b"x", within_s=2).status == 200
    assert far.dials == 2


def test_idle_connection_is_dropped_before_the_server_does(line_to):
    now = [0.0]
    far, line = line_to(GOOD, GOOD, GOOD, clock=lambda: now[0])
    line.request("GET", "/", b"", within_s=2)
    now[0] += IDLE_LIMIT_S - 0.1
    line.request("GET", "/", b"", within_s=2)
    assert far.dials == 1
    now[0] += IDLE_LIMIT_S + 0.1
    line.request("GET", "/", b"", within_s=2)
    assert far.dials == 2


def test_server_that_says_close_is_not_asked_again_on_that_connection(line_to):
    far, line = line_to(reply(b"pong\n\n", more=b"Connection: close\r\n"), GOOD)
    line.request("GET", "/", b"", within_s=2)
    assert line.idle_s() == float("inf")
    line.request("GET", "/", b"", within_s=2)
    assert far.dials == 2


REQUEST = ready("POST", "/jsonrpc/0", b"body")


def test_an_answer_that_is_known_comes_as_the_object_that_is_known(line_to):
    one, two = b"same\n\n", b"also\n\n"
    dated = reply(one, more=b"Date: later\r\n")
    _, line = line_to(*(reply(one), reply(two), reply(one), dated, reply(b"more\n\n"), reply(b"longer\n\n")))
    known = [two, one]
    for expected in (one, two, one, one):
        assert line.resend(REQUEST, 2, known)[1] is expected
    assert line.resend(REQUEST, 2, known) == (200, b"more\n\n")
    assert line.resend(REQUEST, 2, known) == (200, b"longer\n\n")


def test_what_is_left_of_an_answer_before_is_no_part_of_the_next(line_to):
    far, line = line_to(GOOD, GOOD[:-3], GOOD[: GOOD.index(b"pong")], b"", GOOD)
    assert line.resend(REQUEST, 2, [b"pong\n\n"])[1] == b"pong\n\n"
    for _ in range(3):
        with pytest.raises(AnswerLost):
            line.resend(REQUEST, 0.3, [b"pong\n\n"])
    assert line.resend(REQUEST, 2, [b"pong\n\n"])[1] == b"pong\n\n"
    assert far.dials == 4


def test_a_large_answer_is_read_whole_and_its_room_is_given_back(line_to):
    large = b"x" * (3 * ROOM_BYTES) + b"\n\n"
    _, line = line_to(reply(large), GOOD)
    assert line.resend(REQUEST, 5, ()) == (200, large)
    assert len(line._room) == ROOM_BYTES
    assert line.resend(REQUEST, 2, ()) == (200, b"pong\n\n")


def test_the_limit_of_a_call_holds_whatever_the_one_before_had(line_to):
    _, line = line_to(GOOD, None)
    line.resend(REQUEST, 8, ())
    began_s = time.monotonic()
    with pytest.raises(AnswerLost, match="no answer"):
        line.resend(REQUEST, 0.2, ())
    assert 0.1 < time.monotonic() - began_s < 4


def error(code, message, data=""):
    return json.dumps({"error": {"code": code, "message": message, "data": data}}).encode()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (error(-32001, "androidx.test.uiautomator.UiObjectNotFoundException", "x"), Refused),
        (error(-32001, "java.lang.SecurityException", "Injecting requires INJECT_EVENTS"), Refused),
        (error(-32601, "method not found"), Refused),
        (error(-32602, "method parameters invalid"), Refused),
        (error(-32001, "android.os.DeadObjectException"), Sick),
        (error(-32001, "android.os.DeadSystemRuntimeException"), Sick),
        (error(-32001, "java.lang.IllegalStateException", "UiAutomation not connected"), Sick),
        (error(-32001, "java.lang.OutOfMemoryError"), AnswerLost),
        (error(-32001, "java.lang.NullPointerException"), AnswerLost),
        (b'{"error": "odd"}', AnswerLost),
        (b'{"result": tr', AnswerLost),
        (b"[]", AnswerLost),
        (b"{}", AnswerLost),
    ],
)
def test_every_kind_of_answer_has_its_error(body, kind):
    with pytest.raises(kind) as told:
        result("click", body)
    assert type(told.value) is kind


def test_good_answers_are_results():
    assert result("click", b'{"result": true}') is True
    assert result("getText", '{"result": "好的😀"}'.encode()) == "好的😀"
    assert result("getLastToast", b'{"result": null}') is None


def test_requests_are_plain_ascii():
    assert request("setText", ["好😀"]).isascii()
    assert json.loads(request("setText", ["好😀"]))["params"] == ["好😀"]
    assert json.loads(request("ping", []))["params"] == {}


def test_only_listed_names_may_be_repeated():
    assert is_read("takeScreenshot", [1, 80])
    assert not is_read("takeScreenshot", ["name", 1, 80])
    for name in (
        "click",
        "setText",
        "pressKey",
        "swipe",
        "setClipboard",
        "clearLastToast",
        "brandNew",
        "childByText",
    ):
        assert not is_read(name, [])
    assert not {
        name for name in READS if name.startswith(("set", "click", "press", "clear", "inject", "swipe"))
    }
