"""Reads and writes safetensors files (8-byte little-endian header length, JSON header, raw tensors)."""
import json
import struct
from pathlib import Path

import numpy as np
import torch

DTYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64}
NAMES = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64"}


def read_safetensors(path):
    """{name: tensor}; floats keep their stored type."""
    raw = Path(path).read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(raw[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(array.copy())
    return tensors


def write_safetensors(path, tensors, metadata=None):
    """Writes {name: tensor} in name order; the same input gives the same bytes."""
    header, blocks, offset = {"__metadata__": {"format": "pt", **(metadata or {})}}, [], 0
    for name in sorted(tensors):
        block = tensors[name].detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": NAMES[tensors[name].dtype], "shape": list(tensors[name].shape),
                        "data_offsets": [offset, offset + len(block)]}
        blocks.append(block)
        offset += len(block)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        file.writelines(blocks)
