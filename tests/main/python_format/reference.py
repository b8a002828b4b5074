"""Formats what comes as JSON on stdin with Python's own logging.Formatter, and writes the results as JSON."""

import json
import logging
import os
import sys
import time

if sys.version_info < (3, 10):
    sys.exit(3)

HIDDEN = set(
    [*range(0x80, 0xA0), 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070)]
    + [0xFEFF, *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080)]
)


def escaped(text):
    """What may not reach a line, as format::Text escapes it: the one difference that cannot be turned off."""

    def one(char):
        code = ord(char)
        if char in "\n\r\t":
            return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[char]
        if code < 0x20 or code == 0x7F:
            return f"\\x{code:02x}"
        return f"\\u{{{code:x}}}" if code in HIDDEN else char

    return "".join(map(one, text))


class Safe(str):
    """A string that str() and format() escape, and repr() does not."""

    def __str__(self):
        return escaped(str.__str__(self))

    def __format__(self, spec):
        return format(str(self), spec)


def value(coded):
    (kind, text), = coded.items()
    return {"text": Safe, "int": int, "float": float, "bool": lambda it: it == "true"}[kind](text)


def record_of(case):
    nanos, started = int(case["nanos"]), int(case["started"])
    fields = {name: value(coded) for name, coded in case["fields"].items()}
    record = logging.makeLogRecord(fields)
    record.__dict__.update(
        created=nanos / 1e9,
        msecs=nanos % 1_000_000_000 // 1_000_000 + 0.0,
        relativeCreated=(nanos - started) / 1e6,
        exc_text=record.exc_info,
        args=(),
    )
    record.getMessage = lambda: record.msg
    return record


def formatted(case):
    if os.environ.get("TZ") != case["zone"]:
        os.environ["TZ"] = case["zone"]
        time.tzset()
    defaults = {name: value(coded) for name, coded in case["defaults"].items()}
    try:
        formatter = logging.Formatter(case["format"], case["datefmt"], case["style"], defaults=defaults)
    except ValueError as error:
        return {"refused": str(error)}
    # As a float, the time may be rounded up to the next second: ours is not.
    formatter.converter = lambda _: time.localtime(int(case["nanos"]) // 1_000_000_000)
    try:
        return {"line": formatter.format(record_of(case))}
    except (ValueError, TypeError, LookupError, OverflowError, AttributeError) as error:
        return {"failed": repr(error)}


json.dump([formatted(case) for case in json.load(sys.stdin)], sys.stdout)
