"""The words: numbers, durations, moments, lists, and the one sentence of each kind."""

from datetime import UTC, datetime

import pytest

from redshank.core import Kind, Reading
from redshank.incidents import duration, fault, moment, number
from redshank.incidents.sentence import anomaly_sentence, fault_sentence, silence_of_many, some

START = int(datetime(2026, 3, 2, 14, 3, tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.00012, "0.00012"),
        (0.000123456, "0.000123"),
        (1e-4, "0.0001"),
        (9.9999e-5, "0.0001"),
        (1.5e-7, "1.5e-07"),
        (-3.0, "-3"),
        (4.1, "4.1"),
        (9.999, "10"),
        (99.99, "100"),
        (0.99996, "1"),
        (100.0, "100"),
        (123.456, "123"),
        (-1234.5, "-1234"),
        (10.05, "10.1"),
        (1234567.0, "1234567"),
        (1e7, "1e+07"),
        (3.4e38, "3.4e+38"),
        (float("nan"), "nothing"),
        (float("inf"), "nothing"),
    ],
)
def test_number(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.25, "250 ms"),
        (0.0, "0 ms"),
        (1.0, "1 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (7800, "2 h 10 min"),
        (7809, "2 h 10 min"),
        (86400 + 300, "1 d 5 min"),
        (40 * 86400 + 3600 + 59, "40 d 1 h"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_moment():
    assert moment(START) == "2026-03-02 14:03"
    assert moment(START + 7 * 10**9 + 999_999_999) == "2026-03-02 14:03:07"
    assert moment(0) == "1970-01-01 00:00"
    assert moment(-(10**9)) == "1969-12-31 23:59:59"


def test_some():
    assert some(["a"]) == "a"
    assert some(["a", "b"]) == "a and b"
    assert some(["a", "b", "c"]) == "a, b and c"
    assert some(["a", "b", "c", "d"]) == "a, b, c and 1 more"
    assert some(list("abcdefg")) == "a, b, c and 4 more"


VIBRATION = Reading("vibration", "mm/s", 0.7, 4.1, 1.5, 1.1, 1.9)


def follower(name, share=0.2):
    return Reading(name, "bar", share, 1.0, 1.0, 0.0, 2.0)


@pytest.mark.parametrize(
    ("kind", "looks"),
    [
        (Kind.POINT, "a point anomaly"),
        (Kind.CONTEXTUAL, "a contextual anomaly"),
        (Kind.COLLECTIVE, "a collective anomaly"),
        (Kind.CONTINUOUS, "a continuous anomaly"),
        (Kind.VISUAL, "a visual anomaly"),
        (Kind.NETWORK_ATTACK, "a network attack"),
        (Kind.SENSOR_FAULT, "a sensor fault"),
    ],
)
def test_anomaly_of_each_kind(kind, looks):
    assert anomaly_sentence("pump-07", START, kind, [VIBRATION, follower("pressure")]) == (
        f"pump-07: vibration 4.1 mm/s since 2026-03-02 14:03, expected 1.1 to 1.9; pressure follows; looks like {looks}"
    )


def test_what_follows():
    def clause(*names, share=0.15):
        text = anomaly_sentence("d", START, Kind.POINT, [VIBRATION, *(follower(name, share) for name in names)])
        return text.split("; ")[1:-1]

    assert clause() == []
    assert clause("a", share=0.149) == []
    assert clause("a") == ["a follows"]
    assert clause("a", "b") == ["a and b follow"]
    assert clause("a", "b", "c", "d") == ["a, b, c and 1 more follow"]


@pytest.mark.parametrize(
    ("reading", "says"),
    [
        (Reading("flow", "", 1.0, 1.5, 3.0, 1.0, 2.0), "flow 1.5 since 2026-03-02 14:03, expected about 3;"),
        (Reading("flow", "", 1.0, 1.0, 1.5, 1.0, 2.0), "flow 1 since 2026-03-02 14:03, expected about 1.5;"),
        (Reading("flow", "l", 1.0, 5.0, 3.0, 3.0, 3.0), "flow 5 l since 2026-03-02 14:03, expected about 3;"),
        (Reading("flow", "l", 1.0, float("nan"), 3.0, 2.0, 4.0), "flow nothing since 2026-03-02 14:03, expected 2 to"),
    ],
)
def test_inside_the_band_without_band_and_without_value(reading, says):
    assert says in anomaly_sentence("d", START, Kind.POINT, [reading])


@pytest.mark.parametrize("device", ["Pumpe Süd/7", "a: b; c", "%s {x}", "泵", "x" * 200])
def test_device_names_stand_as_they_are(device):
    assert anomaly_sentence(device, START, Kind.POINT, [VIBRATION]).startswith(f"{device}: vibration 4.1")


@pytest.mark.parametrize(
    ("kind", "cause", "channels", "text"),
    [
        (Kind.SILENCE, "", (), "d: silent since 2026-03-02 14:03; usually every 10 s"),
        (
            Kind.SENSOR_FAULT,
            "stuck",
            ("temperature", "x"),
            "d: temperature and x stuck since 2026-03-02 14:03; usually every 10 s; looks like a sensor fault (stuck)",
        ),
        (
            Kind.SENSOR_FAULT,
            "clock",
            (),
            "d: clock wrong since 2026-03-02 14:03; usually every 10 s; looks like a sensor fault (clock)",
        ),
        (
            Kind.NETWORK_ATTACK,
            "flood",
            (),
            "d: flood since 2026-03-02 14:03; usually every 10 s; looks like a network attack (flood)",
        ),
        (
            Kind.POINT,
            "spike",
            ("flow",),
            "d: flow spiky since 2026-03-02 14:03; usually every 10 s; looks like a point anomaly",
        ),
    ],
)
def test_fault(kind, cause, channels, text):
    assert fault_sentence("d", START, kind, cause=cause, channels=channels, detail="usually every 10 s") == text


def test_fault_incident():
    made = fault(
        "d",
        start_ns=START,
        end_ns=START + 10,
        detected_ns=START + 5,
        kind=Kind.SENSOR_FAULT,
        cause="stuck",
        severity=40.0,
        readings=(follower("pressure"),),
        detail="the same value 90 times",
    )
    assert made.devices == ("d",)
    assert (made.start_ns, made.detected_ns, made.end_ns) == (START, START + 5, START + 10)
    assert made.sentence.startswith("d: pressure stuck since 2026-03-02 14:03; the same value 90 times")
    assert len(made.key) == 12


def test_silence_of_many():
    assert silence_of_many(["a", "b", "c", "d"], START, 9) == (
        "4 of 9 devices silent since 2026-03-02 14:03: a, b, c and 1 more; looks like one outage"
    )
