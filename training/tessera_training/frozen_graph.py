"""Reads the constants of a frozen TensorFlow graph (GraphDef, protocol buffer wire format) without TensorFlow."""
import struct

import numpy as np

DTYPES = {1: np.float32, 3: np.int32, 9: np.int64}


def fields(data):
    """Yields (field number, value) of one message: int for varints, memoryview for the rest."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    while at < len(data):
        key = varint()
        wire = key & 7
        if wire == 0:
            yield key >> 3, varint()
            continue
        length = {1: 8, 5: 4}.get(wire)
        if length is None:
            if wire != 2:
                raise ValueError(f"wire type {wire} is not one of a GraphDef")
            length = varint()
        if at + length > len(data):
            raise ValueError("a message ends before its last field")
        yield key >> 3, data[at:at + length]
        at += length


def tensor(data):
    """TensorProto -> array, or None for a type that weights do not have."""
    kind, shape, content, values = 0, [], None, []
    for number, value in fields(data):
        if number == 1:
            kind = value
        elif number == 2:
            for dim in (v for n, v in fields(value) if n == 2):
                shape.append(next((size for n, size in fields(dim) if n == 1), 0))
        elif number == 4:
            content = value
        elif number == 5:
            values += struct.unpack(f"<{len(value) // 4}f", value)
    if kind not in DTYPES:
        return None
    if content is not None:
        return np.frombuffer(content, DTYPES[kind]).reshape(shape)
    if len(values) == 1:
        return np.full(shape, values[0], DTYPES[kind])
    return np.array(values, DTYPES[kind]).reshape(shape) if values else None


def read_constants(path):
    """{node name: array} of the Const nodes of a frozen graph."""
    with open(path, "rb") as file:
        data = memoryview(file.read())
    constants = {}
    try:
        for node in (value for number, value in fields(data) if number == 1):
            name, op, value = "", b"", None
            for number, field in fields(node):
                if number == 1:
                    name = bytes(field).decode()
                elif number == 2:
                    op = bytes(field)
                elif number == 5:
                    entry = dict(fields(field))
                    if bytes(entry[1]) == b"value":
                        value = next((v for n, v in fields(entry[2]) if n == 8), None)
            if op == b"Const" and value is not None:
                array = tensor(value)
                if array is not None:
                    constants[name] = array
    except (IndexError, KeyError, TypeError, ValueError, struct.error) as error:
        raise ValueError(f"{path}: not a frozen TensorFlow graph ({error})") from error
    if not constants:
        raise ValueError(f"{path}: not a frozen TensorFlow graph (it has no constants)")
    return constants
