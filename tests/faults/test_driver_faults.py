"""Whatever happens to an answer, a mutating call reaches the phone once; the error says what may follow."""

import contextlib
import time

import pytest

from agent.driver import MOMENT_S, Driver
from agent.errors import AnswerLost, NotOurs, NotSent, PhoneGone, Refused
from tests.support.adb import adb_server, bundled_adb, until
from tests.support.stubapp import PACKAGE
from tests.support.virtualphone import virtual_phone

WAIT_S = 1.5


@pytest.fixture(scope="module")
def adb():
    with adb_server(bundled_adb()) as server:
        yield server


@pytest.fixture
def phone(adb):
    with virtual_phone() as running:
        adb.connect(running.address)
        adb.wait_state(running.address, "device")
        running.do(running.handset.start_app, PACKAGE)
        yield running
        adb.run("disconnect", running.address)


@pytest.fixture
def driver(adb, phone):
    made = Driver(phone.address, adb_host="127.0.0.1", adb_port=adb.port)
    yield made
    made.close()


def taps(phone):
    return phone.do(lambda: len(phone.app.taps))


@pytest.mark.parametrize(
    "fault", ["lost_after_act", "half_reply", "http_500", "not_connected", "dead_object", "hang_after_act"]
)
def test_a_tap_whose_answer_is_lost_was_made_once(driver, phone, fault):
    driver.call("ping")
    phone.fault(fault, "click")
    with pytest.raises(AnswerLost):
        driver.call("click", 500, 540, within_s=WAIT_S)
    assert taps(phone) == 1
    assert driver.call("getLastToast") == "确定"
    assert taps(phone) == 1


@pytest.mark.parametrize("fault", ["drop", "hang", "server_killed"])
def test_a_tap_that_never_reached_the_app_is_not_repeated_either(driver, phone, fault):
    driver.call("ping")
    phone.fault(fault, "click")
    with pytest.raises(AnswerLost):
        driver.call("click", 500, 540, within_s=WAIT_S)
    assert taps(phone) == 0
    driver.call("deviceInfo")
    assert taps(phone) == 0
    driver.call("click", 500, 540)
    assert taps(phone) == 1


@pytest.mark.parametrize(
    "fault",
    [
        "drop",
        "lost_after_act",
        "half_reply",
        "http_500",
        "not_connected",
        "dead_object",
        "server_killed",
        "hang",
    ],
)
def test_a_read_is_repeated_once(driver, phone, fault):
    driver.call("ping")
    phone.fault(fault, "deviceInfo")
    assert driver.call("deviceInfo", within_s=WAIT_S)["displayWidth"] == 1080


def test_a_read_is_not_repeated_for_ever(driver, phone):
    driver.call("ping")
    phone.fault("half_reply", "deviceInfo", 2)
    with pytest.raises(AnswerLost):
        driver.call("deviceInfo", within_s=WAIT_S)


@pytest.mark.parametrize("method", ["setText", "pressKey", "swipe", "someNewMethod"])
def test_unknown_and_mutating_names_are_sent_once(driver, phone, method):
    driver.call("ping")
    phone.fault("http_500", method, 2)
    with pytest.raises((AnswerLost, Refused)):
        driver.call(method, "x", within_s=WAIT_S)
    left = [row["count"] for row in phone.do(phone.handset.faults.to_json)]
    assert left in ([1], [2])  # used once, or refused before the fault was asked


def test_a_call_after_a_pause_is_preceded_by_a_read(driver, phone):
    driver.call("ping")
    phone.fault("server_killed", "ping")
    until(lambda: driver._device._line.idle_s() > MOMENT_S, "the line to be idle")
    driver.call("click", 500, 540)
    assert taps(phone) == 1


def test_a_tap_does_not_leave_once_a_slow_start_has_made_its_sight_old(driver, phone):
    driver.call("ping")
    phone.fault("server_killed", "ping")
    phone.fault("start_slow", ms=1_000)
    until(lambda: driver._device._line.idle_s() > MOMENT_S, "the line to be idle")
    with pytest.raises(NotSent):
        driver.call("click", 500, 540, not_after_s=time.monotonic() + 0.5)
    assert taps(phone) == 0
    driver.call("click", 500, 540, not_after_s=time.monotonic() + 5)
    assert taps(phone) == 1


def test_server_closing_the_idle_line_costs_nothing(driver, phone):
    driver.call("click", 500, 540)
    time.sleep(5.3)  # the server's own limit is 5 s; there is no condition to poll
    driver.call("click", 500, 540)
    assert taps(phone) == 2


def test_errors_that_name_a_cause_are_refusals(driver):
    with pytest.raises(Refused):
        driver.call(
            "objInfo", {"mask": 1, "text": "没有", "childOrSibling": [], "childOrSiblingSelector": []}
        )
    with pytest.raises(Refused):
        driver.call("makeToast", "x", 1)


def test_unplugged_phone_is_gone(adb, driver, phone):
    driver.call("ping")
    phone.unplug()
    with pytest.raises((PhoneGone, AnswerLost, NotSent)):
        driver.call("click", 500, 540, within_s=WAIT_S)
    until(lambda: adb.states().get(phone.address) != "device", "adb to notice")
    with pytest.raises(PhoneGone):
        driver.shell("getprop ro.serialno")
    with pytest.raises(PhoneGone):
        driver.call("deviceInfo")
    assert taps(phone) == 0


def test_mute_phone_ends_in_time(driver, phone):
    driver.call("ping")
    phone.fault("mute")
    began_s = time.monotonic()
    with pytest.raises(AnswerLost):
        driver.call("click", 500, 540, within_s=WAIT_S)
    assert time.monotonic() - began_s < WAIT_S + 1
    phone.clear_faults()
    assert taps(phone) <= 1


def test_no_adb_server_is_not_sent(adb):
    driver = Driver("127.0.0.1:9", adb_host="127.0.0.1", adb_port=1)
    with pytest.raises(NotSent):
        driver.call("click", 1, 1)
    with pytest.raises(NotSent):
        driver.shell("id")
    driver.close()


def test_unknown_phone_is_gone(adb):
    driver = Driver("127.0.0.1:9", adb_host="127.0.0.1", adb_port=adb.port)
    with pytest.raises(PhoneGone):
        driver.call("ping")
    driver.close()


def test_foreign_server_is_stopped_and_replaced(adb, phone):
    first = Driver(phone.address, adb_host="127.0.0.1", adb_port=adb.port)
    second = Driver(phone.address, adb_host="127.0.0.1", adb_port=adb.port)
    first.call("ping")
    assert second.call("ping") == "pong"
    second.call("click", 500, 540)
    assert taps(phone) == 1
    second.close()
    first.close()


@pytest.mark.parametrize(("fault", "count"), [("start_already_registered", 1), ("start_crash", 2)])
def test_start_is_tried_again(driver, phone, fault, count):
    phone.fault(fault, count=count)
    assert driver.call("ping") == "pong"


def test_server_that_never_starts_is_reported(driver, phone):
    phone.fault("start_already_registered", count=None)
    with pytest.raises(NotOurs):
        driver.call("ping")
    phone.clear_faults()
    phone.fault("start_crash", count=None)
    with pytest.raises(NotSent):
        driver.call("click", 500, 540)
    assert taps(phone) == 0


def test_slow_start_is_waited_for(driver, phone):
    phone.fault("start_slow", ms=1_500)
    assert driver.call("ping") == "pong"


def test_full_storage_is_named(driver, phone):
    phone.fault("storage_full")
    with pytest.raises(Refused, match="storage"):
        driver.call("ping")


def test_server_ends_with_the_driver(adb, phone):
    driver = Driver(phone.address, adb_host="127.0.0.1", adb_port=adb.port)
    driver.call("ping")
    assert phone.do(lambda: phone.handset.ui_automation) is not None
    driver.close()
    until(lambda: phone.do(lambda: phone.handset.ui_automation) is None, "the server to end")


def test_worn_server_is_started_anew(driver, phone, monkeypatch):
    driver.call("ping")
    before = phone.do(lambda: phone.handset.ui_automation)
    assert not driver.recycle_if_worn()
    monkeypatch.setattr("agent.driver.RECYCLE_CALLS", 0)
    assert driver.recycle_if_worn()
    assert phone.do(lambda: phone.handset.ui_automation) is not before
    assert driver.call("ping") == "pong"


# -- shell commands that change something


@pytest.mark.parametrize(
    ("fault", "made"), [("drop", 0), ("hang", 0), ("lost_after_act", 1), ("hang_after_act", 1)]
)
def test_a_shell_tap_whose_answer_is_lost_is_not_repeated(driver, phone, fault, made):
    phone.fault(fault, "shell:input", None)
    try:
        answer = driver.shell_once("input tap 500 540; echo $?", within_s=WAIT_S)
    except AnswerLost:
        answer = ""
    assert (answer, taps(phone)) == ("", made)


@pytest.mark.parametrize("fault", ["unplug", "unplug_after_act"])
def test_a_cable_pulled_in_the_middle_of_a_command_is_a_lost_answer(adb, driver, phone, fault):
    phone.fault(fault, "shell:input")
    with contextlib.suppress(AnswerLost):
        assert driver.shell_once("input tap 500 540; echo $?", within_s=WAIT_S) == ""
    assert taps(phone) == (fault == "unplug_after_act")
    until(lambda: adb.states().get(phone.address) != "device", "adb to notice")
    with pytest.raises(PhoneGone):
        driver.shell_once("input tap 500 540")
    phone.plug()


def test_a_command_does_not_leave_after_its_time(driver, phone):
    driver.shell_once("true")
    with pytest.raises(NotSent):
        driver.shell_once("input tap 500 540", not_after_s=time.monotonic() - 0.001)
    assert taps(phone) == 0
