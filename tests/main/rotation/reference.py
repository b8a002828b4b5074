"""Lets Python's rotating handlers write the cases on standard input, each into a folder of its own."""

import datetime
import json
import logging.handlers
import os
import sys
import time

logging.raiseExceptions = True


class Failing:
    """An error in a handler must not pass for a line that was not written."""

    def handleError(self, record):
        raise


class Sized(Failing, logging.handlers.RotatingFileHandler):
    """Measures lines in bytes, as it measures the file."""

    measures = False

    def shouldRollover(self, record):
        self.measures = True
        try:
            return super().shouldRollover(record)
        finally:
            self.measures = False

    def format(self, record):
        text = super().format(record)
        return text.encode().decode("latin-1") if self.measures else text


class Timed(Failing, logging.handlers.TimedRotatingFileHandler):
    pass


def emit(handler, line):
    handler.emit(logging.makeLogRecord({"msg": line}))


def by_size(case, path):
    handler = Sized(path, maxBytes=case["limit"], backupCount=case["backups"], encoding="utf-8")
    for line in case["lines"]:
        emit(handler, line)
    handler.close()


def by_time(case, path):
    os.environ["TZ"] = case["zone"]
    time.tzset()
    at = case["at_time"]
    at = None if at is None else datetime.time(at // 3600, at // 60 % 60)
    now = case["begun"]
    time.time = lambda: now
    # The file's own time is the real one: it is not there yet when the first deadline is reckoned.
    handler = Timed(
        path, case["when"], case["interval"], case["backups"], delay=True, utc=case["zone"] == "UTC", atTime=at
    )
    emit(handler, str(now))
    for step in case["steps"]:
        now += step
        emit(handler, str(now))
    handler.close()


for case in json.load(sys.stdin):
    path = os.path.join(case["folder"], "app.log")
    by_size(case, path) if "limit" in case else by_time(case, path)
json.dump(sys.version_info[:2], sys.stdout)
