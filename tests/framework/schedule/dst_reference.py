#!/usr/bin/env python3
"""When cron is due around each change of the clocks from 2020 to 2040 in ten time zones.

An implementation of its own, with which next_slot() is compared: a daemon that wakes up every
minute, as ISC cron does, with Python's zoneinfo. A line for each change and expression:

    ZONE|EXPRESSION|BEGIN|END|SLOT,SLOT,…      (seconds since 1970; the slots are after BEGIN, up to END)
"""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

ZONES = ["Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles",
         "America/Sao_Paulo", "America/Santiago", "Australia/Lord_Howe", "Pacific/Auckland",
         "Africa/Casablanca", "Asia/Tehran"]
# minute, hour: what the clocks decide. (The days are the same to everybody.)
EXPRESSIONS = ["0 3 * * *", "30 2 * * *", "15,45 1-3 * * *", "0 0 * * *", "30 0,1,23 * * *",
               "*/15 * * * *", "*/30 2 * * *", "20 * * * *"]
AROUND = timedelta(hours=30)
UTC = timezone.utc


def values(field: str, top: int) -> set[int]:
    found = set()
    for part in field.split(","):
        part, _, step = part.partition("/")
        low, _, high = part.partition("-")
        if part == "*":
            low, high = "0", str(top - 1)
        found |= set(range(int(low), int(high or low) + 1, int(step or 1)))
    return found


def changes(zone: ZoneInfo):
    moment, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC)
    hour = timedelta(hours=1)
    while moment < end:
        if moment.astimezone(zone).utcoffset() != (moment + hour).astimezone(zone).utcoffset():
            yield moment
        moment += hour


def slots(zone: ZoneInfo, expression: str, begin: datetime, end: datetime):
    minute_field, hour_field = expression.split()[:2]
    minutes, hours = values(minute_field, 60), values(hour_field, 24)
    wildcard = minute_field.startswith("*") or hour_field.startswith("*")

    def due(wall: datetime) -> bool:
        return wall.minute in minutes and wall.hour in hours

    minute = timedelta(minutes=1)
    latest = begin.astimezone(zone).replace(tzinfo=None)  # the latest wall time so far
    moment = begin
    while moment < end:
        moment += minute
        wall = moment.astimezone(zone).replace(tzinfo=None)
        if wildcard:
            fires = due(wall)
        else:
            # All minutes of the wall since the latest that was seen, and none for a second time.
            fires = False
            while latest < wall:
                latest += minute
                fires |= due(latest)
        if fires:
            yield int(moment.timestamp())


for name in ZONES:
    place = ZoneInfo(name)
    for change in changes(place):
        first, last = change - AROUND, change + AROUND
        for text in EXPRESSIONS:
            found = ",".join(map(str, slots(place, text, first, last)))
            print(f"{name}|{text}|{int(first.timestamp())}|{int(last.timestamp())}|{found}")
