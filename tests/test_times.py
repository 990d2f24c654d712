"""Claimed times: read as UTC only where they say their zone, else kept without a value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.sources.times import is_date_line, read_time


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2019-06-30T22:02:29+00:00", "2019-06-30T22:02:29Z"),
        ("2019-06-30 22:02:29Z", "2019-06-30T22:02:29Z"),
        ("2019-06-30T22:02+0530", "2019-06-30T16:32:00Z"),
        ("2019-06-30T22:02:29.500000000-01", "2019-06-30T23:02:29.5Z"),
        ("30 Jun 2019 22:02 +0000", "2019-06-30T22:02:00Z"),
        ("Sun, 30 Jun 2019 22:02:29 EST", "2019-07-01T03:02:29Z"),
        ("30 Jun 2019 22:02:29 pdt", "2019-07-01T05:02:29Z"),
        ("30 Jun 2019 22:02:29 CST", None),
        ("Sun, 30 Jun 2019 22:02:29", None),
        ("2019-06-30T22:02:29", None),
        ("2019-06-30", None),
        ("2019-02-30T00:00:00Z", None),
        ("2019-06-30T24:00:00Z", None),
        ("0001-01-01T00:00:00+01:00", None),
        ("2019-06-30T22:02:29+00:99", None),
        ("2019-06-30T22:02:29+99:00", None),
        ("30 Foo 2019 22:02 GMT", None),
        ("٢٠١٩-06-30T22:02:29Z", None),
        ("yesterday", None),
        ("", None),
        ("1" * 100_000, None),
    ],
)
def test_reading_times(written: str, value: str | None) -> None:
    assert read_time(written) == value


def test_a_date_line_may_have_no_value() -> None:
    assert is_date_line("30 Jun 2019 22:02:29 CST")
    assert is_date_line("26/09/2023 - 10:44")
    assert not is_date_line("30 Jun 2019 22:02:29 CST, said the mayor")


@given(
    st.text(max_size=40)
    | st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z|[+-]\d\d:?\d\d)", fullmatch=True)
)
def test_any_time_is_read_or_not(written: str) -> None:
    value = read_time(written)
    assert value is None or (value.endswith("Z") and is_date_line(value) and read_time(value) == value)
