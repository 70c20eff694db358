"""CBOR (RFC 8949), as much of it as AWS's RPC v2 protocol uses. Times are tag 1, read and written as datetime."""

import datetime
import struct

TIME_TAG = 1
BREAK = object()


def decode(data):
    return Reader(data).item() if data else {}


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        taken = self.data[self.at : self.at + count]
        self.at += count
        return taken

    def item(self):
        initial = self.take(1)[0]
        major, info = initial >> 5, initial & 31
        if major == 7:
            return self.simple(info)
        # 31: a string, list or map whose length isn't told.
        count = None if info == 31 else self.count(info)
        return self.of_type(major, count)

    def count(self, info):
        return info if info < 24 else int.from_bytes(self.take(1 << (info - 24)), "big")

    def of_type(self, major, count):
        if major == 0:
            return count
        if major == 1:
            return -1 - count
        if major in (2, 3):
            text = self.take(count) if count is not None else b"".join(map(as_bytes, self.items(None)))
            return text if major == 2 else text.decode("utf-8")
        if major == 4:
            return list(self.items(count))
        if major == 5:
            flat = list(self.items(None if count is None else 2 * count))
            return dict(zip(flat[::2], flat[1::2], strict=True))
        return self.tagged(count)

    def items(self, count):
        while count is None or count > 0:
            item = self.item()
            if item is BREAK:
                return
            yield item
            count = None if count is None else count - 1

    def tagged(self, tag):
        item = self.item()
        return datetime.datetime.fromtimestamp(item, datetime.timezone.utc) if tag == TIME_TAG else item

    def simple(self, info):
        if info in (25, 26, 27):
            form, size = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}[info]
            return struct.unpack(form, self.take(size))[0]
        return {20: False, 21: True, 31: BREAK}.get(info)


def as_bytes(piece):
    return piece if isinstance(piece, bytes) else piece.encode("utf-8")


def encode(value):
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, datetime.datetime):
        return head(6, TIME_TAG) + encode(float(value.timestamp()))
    return encode_many(value)


def encode_many(value):
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode("utf-8")
        return head(3, len(text)) + text
    if isinstance(value, dict):
        return head(5, len(value)) + b"".join(encode(key) + encode(item) for key, item in value.items())
    return head(4, len(value)) + b"".join(map(encode, value))


def head(major, count):
    if count < 24:
        return bytes([major << 5 | count])
    size = next(size for size in (1, 2, 4, 8) if count < 1 << (8 * size))
    return bytes([major << 5 | 24 + size.bit_length() - 1]) + count.to_bytes(size, "big")
