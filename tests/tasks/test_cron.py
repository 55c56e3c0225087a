"""When a schedule of crontab(5) is due: against a clock that is read every minute."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, tzinfo
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from pymoo.tasks.cron import MAX_TEXT, CronError, parse_cron, time_zone

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
WEEKDAYS = "sun mon tue wed thu fri sat".split()
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: tzinfo = UTC) -> float:
    """The time at which a clock in ``zone`` first shows ``text``."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def shown(time: float, zone: tzinfo) -> str:
    """What the clock shows then, with its distance from UTC."""
    return datetime.fromtimestamp(time, zone).isoformat(" ", "minutes")


def due(text: str, after: str, zone: tzinfo = UTC, count: int = 1) -> list[str]:
    """The next times of a schedule, as a clock in ``zone`` shows them."""
    schedule, time, found = parse_cron(text), at(after, zone), []
    for _ in range(count):
        time = schedule.next_after(time, zone)
        found.append(shown(time, zone)[:16] if zone is UTC else shown(time, zone))
    return found


# --- what the fields mean -------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", "2026-05-13 10:31"),  # a Wednesday
        ("*/20 * * * *", "2026-05-13 10:40"),
        ("10-50/20 * * * *", "2026-05-13 10:50"),
        ("5,35,20 * * * *", "2026-05-13 10:35"),
        ("30 * * * *", "2026-05-13 11:30"),
        ("0 9 * * *", "2026-05-14 09:00"),
        ("0 9 * * mon-fri", "2026-05-14 09:00"),
        ("0 9 * * SAT", "2026-05-16 09:00"),
        ("0 9 * * 0", "2026-05-17 09:00"),
        ("0 9 * * 7", "2026-05-17 09:00"),
        ("0 9 * * 6-7", "2026-05-16 09:00"),
        ("0 9 * * sat-sun", "2026-05-16 09:00"),
        ("0 9 1 * *", "2026-06-01 09:00"),
        ("0 9 31 * *", "2026-05-31 09:00"),
        ("0 9 31 6-8 *", "2026-07-31 09:00"),
        ("0 9 1 jan *", "2027-01-01 09:00"),
        ("0 0 29 feb *", "2028-02-29 00:00"),
        # Either the day of the month or that of the week.
        ("0 9 20 * fri", "2026-05-15 09:00"),
        ("0 9 14 * fri", "2026-05-14 09:00"),
        ("0 9 31 2 fri", "2027-02-05 09:00"),
        # Both, where one of them begins with a star.
        ("0 9 */2 * fri", "2026-05-15 09:00"),
        ("0 9 16 * */6", "2026-05-16 09:00"),
        ("0 0 29 2 */7", "2032-02-29 00:00"),
        ("@hourly", "2026-05-13 11:00"),
        ("@daily", "2026-05-14 00:00"),
        ("@midnight", "2026-05-14 00:00"),
        ("@weekly", "2026-05-17 00:00"),
        ("@monthly", "2026-06-01 00:00"),
        ("@yearly", "2027-01-01 00:00"),
        ("  @Annually ", "2027-01-01 00:00"),
    ],
)
def test_the_next_time_of_a_schedule(text: str, expected: str) -> None:
    assert due(text, "2026-05-13 10:30") == [expected]


def test_the_next_time_is_later_than_now_even_by_a_fraction_of_a_second() -> None:
    schedule, noon = parse_cron("0 12 * * *"), at("2026-05-13 12:00")
    assert schedule.next_after(noon - 0.25, UTC) == noon
    assert schedule.next_after(noon, UTC) == noon + 86_400
    assert schedule.next_after(noon + 0.25, UTC) == noon + 86_400


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "five fields in a schedule, not 0"),
        ("* * * *", "five fields in a schedule, not 4"),
        ("* * * * * *", "five fields in a schedule, not 6"),
        ("@reboot", "five fields"),
        ("60 * * * *", "minute: '60' is not between 0 and 59"),
        ("* 24 * * *", "hour: '24' is not between 0 and 23"),
        ("* * 0 * *", "day of the month: '0' is not between 1 and 31"),
        ("* * * 13 *", "month: '13' is not between 1 and 12"),
        ("* * * * 8", "day of the week: '8' is not between 0 and 7"),
        ("* * * mon *", "month: 'mon' is not between"),
        ("-1 * * * *", "minute: '-1' is no number"),
        ("1- * * * *", "minute: '1-' is no number"),
        ("1,,2 * * * *", "minute: '' is no number"),
        ("30-10 * * * *", "minute: '30-10' ends before it begins"),
        ("*/0 * * * *", "minute: '0' is not between 1 and 59"),
        ("5/10 * * * *", "minute: '5/10' has a step, but is no range"),
        (f"{'9' * 400} * * * *", "is not between"),
        ("\u00b2 * * * *", "is no number"),
        ("0 0 31 2 *", "no such day"),
        ("0 0 30-31 feb *", "no such day"),
        ("0 0 31 4,6,9,11 *", "no such day"),
        ("0 0 30 2 */2", "no such day"),
        (f"{'1,' * MAX_TEXT}1 * * * *", "longer than"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(CronError) as caught:
        parse_cron(text)
    assert reason in str(caught.value)


def test_a_schedule_that_is_seldom_due_is_found_soon() -> None:
    """The 29th of February on a Sunday, around 2100, which is no leap year."""
    schedule = parse_cron("0 0 29 2 */7")
    began = perf_counter()
    found = schedule.next_after(at("2088-03-01 00:00"), UTC)
    assert shown(found, UTC).startswith("2128-02-29 00:00")
    assert perf_counter() - began < 0.5


@pytest.mark.parametrize(
    "name",
    ["", "Mars/Base", "Europe", "../UTC", "/etc/passwd", "zone.tab", "x" * 300, "a\0"],
)
def test_a_time_zone_that_there_is_not_is_refused(name: str) -> None:
    with pytest.raises(CronError, match="there is no time zone"):
        time_zone(name)


# --- when the clock is changed --------------------------------------------


def test_a_fixed_time_that_is_skipped_happens_when_the_clock_goes_on() -> None:
    assert due("30 2 * * *", "2026-03-28 00:00", BERLIN, 3) == [
        "2026-03-28 02:30+01:00",
        "2026-03-29 03:00+02:00",
        "2026-03-30 02:30+02:00",
    ]


def test_several_that_are_skipped_happen_once() -> None:
    assert due("0,15,30 2,3 29 3 *", "2026-03-29 00:00", BERLIN, 4) == [
        "2026-03-29 03:00+02:00",
        "2026-03-29 03:15+02:00",
        "2026-03-29 03:30+02:00",
        "2027-03-29 02:00+02:00",
    ]


def test_a_fixed_time_that_is_shown_twice_happens_the_first_time() -> None:
    assert due("30 2 * * *", "2026-10-24 12:00", BERLIN, 2) == [
        "2026-10-25 02:30+02:00",
        "2026-10-26 02:30+01:00",
    ]
    second = at("2026-10-25 02:30", BERLIN) + 3600
    assert shown(second, BERLIN) == "2026-10-25 02:30+01:00"
    schedule = parse_cron("45 2 * * *")
    assert shown(schedule.next_after(second, BERLIN), BERLIN).startswith("2026-10-26")


def test_what_means_so_many_minutes_goes_on_as_before() -> None:
    assert due("*/30 * * * *", "2026-03-29 01:00", BERLIN, 3) == [
        "2026-03-29 01:30+01:00",
        "2026-03-29 03:00+02:00",
        "2026-03-29 03:30+02:00",
    ]
    assert due("0 * * * *", "2026-10-25 01:00", BERLIN, 4) == [
        "2026-10-25 02:00+02:00",
        "2026-10-25 02:00+01:00",
        "2026-10-25 03:00+01:00",
        "2026-10-25 04:00+01:00",
    ]


def test_a_day_that_a_time_zone_leaves_out() -> None:
    """In Samoa there was no 30th of December 2011."""
    apia = ZoneInfo("Pacific/Apia")
    assert due("0 9 * * *", "2011-12-29 00:00", apia, 3) == [
        "2011-12-29 09:00-10:00",
        "2011-12-31 00:00+14:00",
        "2011-12-31 09:00+14:00",
    ]


# --- against a clock that is read every minute ----------------------------


@frozen
class Field:
    """A field as text, and the numbers that it means."""

    text: str
    values: frozenset[int]

    @property
    def has_star(self) -> bool:
        return self.text.startswith("*")


def items(least: int, most: int, names: list[str]) -> st.SearchStrategy[Field]:
    def spelled(number: int, named: bool) -> str:
        place = number - least
        return names[place] if named and place < len(names) else str(number)

    def item(first: int, width: int, step: int | None, named: bool) -> Field:
        last = min(first + width, most)
        text = spelled(first, named)
        if width or step:
            text += f"-{spelled(last, named)}"
        if step:
            text += f"/{step}"
        return Field(text, frozenset(range(first, last + 1, step or 1)))

    numbers = st.integers(least, most)
    return st.one_of(
        st.just(Field("*", frozenset(range(least, most + 1)))),
        st.builds(
            lambda step: Field(f"*/{step}", frozenset(range(least, most + 1, step))),
            st.integers(1, most),
        ),
        st.builds(
            item,
            numbers,
            st.integers(0, 6),
            st.none() | st.integers(1, 5),
            st.booleans(),
        ),
    )


def fields(least: int, most: int, names: list[str]) -> st.SearchStrategy[Field]:
    return st.lists(items(least, most, names), min_size=1, max_size=3).map(
        lambda parts: Field(
            ",".join(part.text for part in parts),
            frozenset().union(*(part.values for part in parts)),
        )
    )


def any_day(least: int, most: int, names: list[str]) -> st.SearchStrategy[Field]:
    """A field that is mostly ``*``, or there would seldom be a time to be found."""
    star = Field("*", frozenset(range(least, most + 1)))
    return st.integers(0, 3).flatmap(
        lambda choice: fields(least, most, names) if choice == 3 else st.just(star)
    )


FIELDS = st.tuples(
    fields(0, 59, []),
    # The hours at which clocks are changed, and all.
    fields(0, 4, []).filter(lambda field: "*" not in field.text) | fields(0, 23, []),
    any_day(1, 31, []),
    any_day(1, 12, MONTHS),
    any_day(0, 7, WEEKDAYS),
)

# Changes of clocks: by an hour and by half of one, at midnight, of a whole day.
CHANGES = [
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("America/Havana", "2026-03-08"),
    ("America/Havana", "2026-11-01"),
    ("Asia/Beirut", "2026-03-29"),
    ("Asia/Beirut", "2026-10-25"),
    ("America/Santiago", "2026-04-05"),
    ("America/Santiago", "2026-09-06"),
    ("America/Sao_Paulo", "2018-02-18"),
    ("Africa/Casablanca", "2026-02-15"),
    ("Pacific/Apia", "2011-12-30"),
    ("UTC", "2026-02-28"),
    ("Asia/Kathmandu", "2028-02-28"),
]

WINDOW_MINUTES = 3 * 24 * 60
MINUTE = timedelta(minutes=1)


def first_by_looking(
    chosen: tuple[Field, ...], time: float, zone: tzinfo
) -> int | None:
    """The first time after ``time`` by reading the clock at every full minute."""
    minutes, hours, monthdays, months, weekdays = chosen

    def fits_day(day: date) -> bool:
        by_date = day.day in monthdays.values
        number = day.isoweekday()
        by_weekday = number in weekdays.values or (number == 7 and 0 in weekdays.values)
        if day.month not in months.values:
            return False
        if monthdays.has_star or weekdays.has_star:
            return by_date and by_weekday
        return by_date or by_weekday

    def fits(local: datetime) -> bool:
        return (
            local.minute in minutes.values
            and local.hour in hours.values
            and fits_day(local)
        )

    is_fixed = not (minutes.has_star or hours.has_star)
    minute = int(time) // 60 * 60
    before = datetime.fromtimestamp(minute, zone).replace(tzinfo=None)
    for _ in range(WINDOW_MINUTES):
        minute += 60
        local = datetime.fromtimestamp(minute, zone)
        now = local.replace(tzinfo=None)
        if not is_fixed:
            if fits(now):
                return minute
        elif not local.fold:
            if fits(now):
                return minute
            skipped = before + MINUTE
            while skipped < now:
                if fits(skipped):
                    return minute
                skipped += MINUTE
        before = now
    return None


def has_a_day(chosen: tuple[Field, ...]) -> bool:
    """Whether a leap year has one of the days of the month, if one must be had."""
    _, _, monthdays, months, weekdays = chosen
    if not (monthdays.has_star or weekdays.has_star):
        return True
    return any(
        monthrange(2028, month)[1] in range(min(monthdays.values), 32)
        for month in months.values
    )


@settings(max_examples=500)
@given(
    FIELDS,
    st.sampled_from(CHANGES),
    st.integers(-26 * 60, 26 * 60),
    st.floats(0, 59.9),
)
def test_no_minute_is_missed_and_none_made_up(
    chosen: tuple[Field, ...], change: tuple[str, str], minutes: int, seconds: float
) -> None:
    zone = time_zone(change[0])
    time = at(change[1], zone) + minutes * 60 + seconds
    text = " ".join(field.text for field in chosen)
    expected = first_by_looking(chosen, time, zone)
    if not has_a_day(chosen):
        with pytest.raises(CronError, match="no such day"):
            parse_cron(text)
        return
    found = parse_cron(text).next_after(time, zone)
    if expected is None:
        assert found > int(time) + (WINDOW_MINUTES - 1) * 60
    else:
        assert shown(found, zone) == shown(expected, zone)
        assert found == expected
