"""The two ways in which a body comes in chunks: HTTP's own, and S3's aws-chunked with its trailing checksum."""


def read_transfer(stream):
    """Reads a body in HTTP's chunks to its end, trailers included."""
    body = []
    while True:
        size = int(line(stream).split(b";")[0], 16)
        if size == 0:
            break
        body.append(exactly(stream, size))
        line(stream)
    while line(stream):
        pass
    return b"".join(body)


def decode_aws(body):
    """The content of an aws-chunked body, and its trailers with names in lower case."""
    content, at = [], 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";")[0], 16)
        at = end + 2
        if size == 0:
            return b"".join(content), trailers(body[at:])
        content.append(body[at : at + size])
        at += size + 2


def trailers(text):
    pairs = [line.partition(b":") for line in text.replace(b"\r\n", b"\n").split(b"\n") if b":" in line]
    return {name.decode().strip().lower(): value.decode().strip() for name, _, value in pairs}


def line(stream):
    read = stream.readline(65537)
    if not read:
        raise ConnectionError("the client went away in the middle of a body")
    return read.rstrip(b"\r\n")


def exactly(stream, size):
    read = stream.read(size)
    if len(read) < size:
        raise ConnectionError("the client went away in the middle of a chunk")
    return read
