"""Runs frozen networks on pictures: with OpenVINO where it is installed and there is no GPU, else with PyTorch.

On a CPU without bf16 units OpenVINO takes a third of PyTorch's time, one picture at a time (its maps stay in the cache).
"""
import numpy as np
import torch
import torch.nn as nn

try:
    import openvino
except ImportError:
    openvino = None


def condition(pictures, mean, std, dtype):
    """uint8 [B, H, W, 3] -> channels-last [B, 3, H, W], (x / 255 - mean) / std."""
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    return ((x / 255 - mean) / std).to(dtype).contiguous(memory_format=torch.channels_last)


class Ordered(nn.Module):
    """`function` (conditioned pictures -> {name: tensor}) as a module that gives the values in the order of `names`."""

    def __init__(self, function, names):
        super().__init__()
        self.function, self.names = function, names

    def forward(self, x):
        values = self.function(x)
        return tuple(values[name] for name in self.names)


class Frozen:
    """`function` maps conditioned pictures to {name: tensor}, `names` of which are wanted."""

    def __init__(self, function, names, mean, std):
        self.module, self.names, self.mean, self.std = Ordered(function, names), names, mean, std
        self.by_shape = {}

    def __call__(self, pictures):
        """uint8 [B, H, W, 3] -> {name: float32 array [B, ...]}"""
        if openvino is None or torch.cuda.is_available():
            device = "cuda" if torch.cuda.is_available() else "cpu"
            with torch.inference_mode():
                values = self.module(condition(pictures, self.mean, self.std, torch.float32).to(device))
            return {name: value.float().cpu().numpy() for name, value in zip(self.names, values)}
        infer = self.compiled(pictures.shape[1:3])
        parts = []
        for picture in pictures:
            x = condition(picture[None], self.mean, self.std, torch.float32).contiguous()
            parts.append([np.array(value) for value in infer.infer(x.numpy()).values()])
        return {name: np.concatenate([p[i] for p in parts]) for i, name in enumerate(self.names)}

    def compiled(self, size):
        """The network compiled for one picture of (height, width), on one thread."""
        if size not in self.by_shape:
            example = torch.zeros(1, 3, *size)
            with torch.inference_mode():
                model = openvino.convert_model(self.module.eval(), example_input=example)
            model.reshape([1, 3, *size])
            options = {"NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": "1", "INFERENCE_PRECISION_HINT": "f32"}
            self.by_shape[size] = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
        return self.by_shape[size]
