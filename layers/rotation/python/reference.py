"""What Python's TimedRotatingFileHandler makes of the cases on standard input, one JSON document each way."""

import datetime
import json
import logging.handlers
import os
import sys
import time

nowhere = os.path.join(os.path.dirname(os.path.abspath("/")), "no-such-folder", "app.log")
logging.raiseExceptions = True


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
    os.listdir = lambda folder: list(case["names"])
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
