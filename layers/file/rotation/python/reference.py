"""What Python's TimedRotatingFileHandler makes of the cases on standard input, one JSON document each way."""

import datetime
import json
import logging.handlers
import os
import re
import sys
import time

nowhere = "/no-such-folder/app.log"


class Rule(logging.handlers.TimedRotatingFileHandler):
    """Only the rules: no file is opened, renamed or removed."""

    def rotation_filename(self, name):
        self.renamed_to = name
        return name

    def rotate(self, source, dest):
        pass


def rule(case):
    at = case["at_time"]
    at = None if at is None else datetime.time(at // 3600, at // 60 % 60, at % 60)
    return Rule(
        nowhere, case["when"], case["interval"], case["backups"], delay=True, utc=case["zone"] == "UTC", atTime=at
    )


def deadline(case):
    handler = rule(case)
    at = handler.computeRollover(case["now"])
    # It rolls in the very second of the deadline.
    handler.rolloverAt = at
    real = time.time
    time.time = lambda: at
    try:
        handler.doRollover()
    finally:
        time.time = real
    return {"deadline": at, "suffix": handler.renamed_to[len(nowhere) + 1 :]}


def surplus(case):
    handler = rule(case)
    real = os.listdir
    names = case["names"]
    if sys.version_info < (3, 13):
        names = [name for name in names if re.fullmatch(r"app\.log\.[0-9_-]*", name)]
    os.listdir = lambda folder: names
    try:
        return [os.path.basename(path) for path in handler.getFilesToDelete()]
    finally:
        os.listdir = real


def answer(case):
    if os.environ.get("TZ") != case["zone"]:
        os.environ["TZ"] = case["zone"]
        time.tzset()
    return surplus(case) if "names" in case else deadline(case)


json.dump({"version": sys.version_info[:2], "answers": [answer(case) for case in json.load(sys.stdin)]}, sys.stdout)
