"""When something is due that goes by the clock on the wall: ``0 9 * * mon-fri``.

A `CronSchedule` has the five fields of crontab(5): minute, hour, day of the month,
month, day of the week.  A field is ``*``, or numbers, ranges ``9-17`` and either of
them in steps, ``*/5`` or ``10-40/10``, with commas between.  Months and days of the
week have names of three letters, Sunday is 0 or 7.  When neither field of the day
begins with ``*``, a day that fits one of them will do.  ``@hourly``, ``@daily``
(``@midnight``), ``@weekly``, ``@monthly`` and ``@yearly`` (``@annually``) stand for
all five.

**When the clock is changed.**  If neither minute nor hour begins with ``*``, the times
are *fixed*: each happens once a day.  One that the clock skips happens when it goes
on, several at once then; one that it shows twice happens the first time.  All other
schedules are of those that mean so many minutes: they are due whenever the clock shows
such a time.

Times are seconds since 1970.  Nothing here knows what is to happen.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from attrs import Factory, field, frozen

from pymoo.errors import InternalError

MAX_TEXT: Final = 500
"""How long the text of a schedule may be."""

_MINUTE_S: Final = 60
_DAY: Final = timedelta(days=1)
# The 29th of February falls on each day of the week within 40 years, even around one
# of the years that divide by 100.
_SEARCH_YEARS: Final = 41
_MONTH_LENGTHS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_WEEKDAYS: Final = "sun mon tue wed thu fri sat".split()
_SHORT_FORMS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ITEM: Final = re.compile(r"(?:(\*)|([0-9a-z]+)(?:-([0-9a-z]+))?)(?:/([0-9]+))?")


class CronError(ValueError):
    """A text is no schedule, or names no time zone; the message says why."""


@frozen
class _Field:
    """One of the five, and what it may hold."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()  # of `least` and what follows

    def values(self, text: str) -> frozenset[int]:
        """Return the numbers that ``text`` means.  Raises: CronError."""
        found: set[int] = set()
        for item in text.split(","):
            found.update(self._range(item))
        return frozenset(found)

    def _range(self, item: str) -> range:
        match = _ITEM.fullmatch(item)
        if match is None:
            raise CronError(f"{self.name}: {item!r} is no number and no range")
        star, first, last, step = match.groups()
        if star:
            low, high = self.least, self.most
        else:
            low = self._number(first)
            high = low if last is None else self._number(last)
            if last is None and step is not None:
                raise CronError(f"{self.name}: {item!r} has a step, but is no range")
            if self is _WEEKDAY and high == 0 < low:
                high = 7  # fri-sun
            if low > high:
                raise CronError(f"{self.name}: {item!r} ends before it begins")
        width = 1 if step is None else self._bounded(step, 1, self.most)
        return range(low, high + 1, width)

    def _number(self, text: str) -> int:
        if text in self.names:
            return self.least + self.names.index(text)
        return self._bounded(text, self.least, self.most)

    def _bounded(self, text: str, least: int, most: int) -> int:
        # Four digits at most: int() takes time for many.
        if text.isdecimal() and len(text) <= 4 and least <= int(text) <= most:
            return int(text)
        raise CronError(f"{self.name}: {text!r} is not between {least} and {most}")


_MINUTE: Final = _Field("minute", 0, 59)
_HOUR: Final = _Field("hour", 0, 23)
_MONTHDAY: Final = _Field("day of the month", 1, 31)
_MONTH: Final = _Field("month", 1, 12, tuple(_MONTHS))
_WEEKDAY: Final = _Field("day of the week", 0, 7, tuple(_WEEKDAYS))


@frozen
class CronSchedule:
    """A schedule that has been understood."""

    times: tuple[int, ...]
    """The times of a day, in seconds since midnight, the earliest first."""
    monthdays: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    """Whether one of the two that tell of the day is enough."""
    is_fixed: bool
    """Whether each of `times` happens once a day; see above."""
    _time_set: frozenset[int] = field(
        init=False,
        repr=False,
        default=Factory(lambda self: frozenset(self.times), takes_self=True),
    )

    def next_after(self, time: float, zone: tzinfo) -> int:
        """Return the first time after ``time`` at which this is due in ``zone``.

        Cost: some microseconds; some hundred where the next is years away.
        """
        moment = datetime.fromtimestamp(int(time), zone)
        day = moment.date()
        last_year = day.year + _SEARCH_YEARS
        while day.year <= last_year:
            if day.month not in self.months:
                day = (day.replace(day=1) + 31 * _DAY).replace(day=1)
                continue
            if self._is_due_on(day):
                found = self._first_on(day, time, zone)
                if found is not None:
                    return found
            day += _DAY
        raise InternalError(f"{self} is never due")  # parse_cron() takes none such

    def _is_due_on(self, day: date) -> bool:
        by_date = day.day in self.monthdays
        by_weekday = day.isoweekday() % 7 in self.weekdays
        if self.either_day:
            return by_date or by_weekday
        return by_date and by_weekday

    def _first_on(self, day: date, time: float, zone: tzinfo) -> int | None:
        """Return the first time after ``time`` on a day; None if there is none."""
        midnight = datetime(day.year, day.month, day.day)
        start = midnight.replace(tzinfo=zone)
        end = (midnight + _DAY).replace(tzinfo=zone)
        if start.utcoffset() == end.utcoffset():
            began = int(start.timestamp())
            place = bisect_right(self.times, time - began)
            return began + self.times[place] if place < len(self.times) else None
        if self.is_fixed:
            times = [_moment(midnight, seconds, zone) for seconds in self.times]
        else:
            times = self._shown_on(day, start, end)
        return min((each for each in times if each > time), default=None)

    def _shown_on(self, day: date, start: datetime, end: datetime) -> list[int]:
        """Return when one of `times` is shown on a day that has a change of clock."""
        zone = start.tzinfo
        first = min(_both_times(start))
        last = max(_both_times(end))
        found = []
        for time in range(first, last, _MINUTE_S):
            local = datetime.fromtimestamp(time, zone)
            seconds = (local.hour * 60 + local.minute) * _MINUTE_S
            if local.date() == day and seconds in self._time_set:
                found.append(time)
        return found


def _both_times(local: datetime) -> tuple[int, int]:
    """Return when the clock shows ``local``, before and after it is changed then."""
    before = int(local.replace(fold=0).timestamp())
    return before, int(local.replace(fold=1).timestamp())


def _moment(midnight: datetime, seconds: int, zone: tzinfo) -> int:
    """Return when the clock first shows a time of day; or when it skips it."""
    local = midnight + timedelta(seconds=seconds)
    late, early = _both_times(local.replace(tzinfo=zone))
    if datetime.fromtimestamp(late, zone).replace(tzinfo=None) == local:
        return late
    # It is skipped: the clock is changed after ``early`` and not after ``late``.
    offset = datetime.fromtimestamp(late, zone).utcoffset()
    while late - early > 1:
        middle = (early + late) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            late = middle
        else:
            early = middle
    return late


def parse_cron(text: str) -> CronSchedule:
    """Return the schedule that ``text`` means.

    Raises: CronError, also for one that is never due, such as the 31st of February.
    """
    if len(text) > MAX_TEXT:
        raise CronError(f"longer than {MAX_TEXT} characters")
    words = text.lower().split()
    if len(words) == 1 and words[0] in _SHORT_FORMS:
        words = _SHORT_FORMS[words[0]].split()
    if len(words) != 5:
        raise CronError(f"there are five fields in a schedule, not {len(words)}")
    minute, hour, monthday, month, weekday = words
    minutes, hours = _MINUTE.values(minute), _HOUR.values(hour)
    monthdays, months = _MONTHDAY.values(monthday), _MONTH.values(month)
    either_day = not (monthday.startswith("*") or weekday.startswith("*"))
    shortest = min(monthdays)
    if not either_day and all(_MONTH_LENGTHS[each - 1] < shortest for each in months):
        raise CronError("there is no such day in these months")
    return CronSchedule(
        times=tuple(
            (each * 60 + other) * _MINUTE_S
            for each in sorted(hours)
            for other in sorted(minutes)
        ),
        monthdays=monthdays,
        months=months,
        weekdays=frozenset(each % 7 for each in _WEEKDAY.values(weekday)),
        either_day=either_day,
        is_fixed=not (minute.startswith("*") or hour.startswith("*")),
    )


def time_zone(name: str) -> tzinfo:
    """Return a time zone by its name in the tz database: ``Europe/Berlin``.

    Raises: CronError if this machine does not know it.
    """
    if name == "UTC":
        return UTC  # which needs no tz database
    from zoneinfo import ZoneInfo  # which no other schedule needs

    try:
        return ZoneInfo(name)
    # For names that lead to no file, out of the database, or to something else in it.
    except (KeyError, ValueError, OSError):
        raise CronError(f"there is no time zone {name!r} on this machine") from None
