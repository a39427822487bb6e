"""The frozen networks that are distilled: EfficientNet-Lite2, MobileNetV2 and Inception v3 to mixed_9.

Each teacher maps pictures (uint8 [B, H, W, 3]) to pooled features that are not negative. Lite2 comes from PyPI; the other
two are read from a folder of safetensors files (mnv2_tf.safetensors, inception_v3_m9.safetensors; convolutions NAME.w,
NAME.b with BatchNorm folded). A teacher whose file is not there is left out by available().
"""
from pathlib import Path

import torch
import torch.nn.functional as F

from .frozen import Frozen
from .safetensors_io import read_safetensors
from .stem import LITE_MEAN, LITE_STD, lite_stem

# Share of each teacher's pooled feature in the target (its square root multiplies the normalised vector).
WEIGHTS = {"lite2": 1.0, "mnv2": 1.0, "inception_m8": 0.5, "inception_m9": 0.5}


class Teacher:
    """A frozen network: forward(conditioned pictures) -> {part: tensor}; `parts` are the names."""

    def prepare(self, parts, mean, std):
        self.run = Frozen(self.forward, parts, mean, std)

    def features(self, pictures):
        """uint8 [B, H, W, 3] -> {part: float32 tensor [B, ...]}"""
        return {name: torch.from_numpy(value) for name, value in self.run(pictures).items()}


class ConvTeacher(Teacher):
    """Named folded convolutions of a safetensors file."""

    PARTS = ()

    def __init__(self, path):
        self.tensors = {}
        for name, tensor in read_safetensors(path).items():
            tensor = tensor.float()
            self.tensors[name] = tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor
        self.prepare(self.PARTS, 0.5, 0.5)

    def conv(self, x, name, stride=1, padding=0, groups=1):
        return F.conv2d(x, self.tensors[name + ".w"], self.tensors[name + ".b"], stride, padding, 1, groups)


class MobileNetV2(ConvTeacher):
    """TF-slim MobileNetV2 1.0: strided layers pad right and bottom only."""

    PARTS = ("mnv2",)
    STRIDED = (1, 3, 6, 13)

    def depthwise(self, x, name, stride):
        groups = x.shape[1]
        if stride == 2:
            return self.conv(F.pad(x, (0, 1, 0, 1)), name, 2, 0, groups)
        return self.conv(x, name, 1, 1, groups)

    def forward(self, x):
        x = self.conv(F.pad(x, (0, 1, 0, 1)), "stem", 2).clamp_(0, 6)
        for i in range(17):
            stride = 2 if i in self.STRIDED else 1
            y = self.conv(x, f"b{i}.ex").clamp_(0, 6) if f"b{i}.ex.w" in self.tensors else x
            y = self.conv(self.depthwise(y, f"b{i}.dw", stride).clamp_(0, 6), f"b{i}.pw")
            x = y + x if stride == 1 and y.shape[1] == x.shape[1] else y
        return {"mnv2": self.conv(x, "head").clamp_(0, 6).float().mean((2, 3))}


class InceptionV3(ConvTeacher):
    """Inception v3 (2015) through mixed_9, without the branch whose weights the file lacks."""

    PARTS = ("inception_m8", "inception_m9")
    ROW, COLUMN = (1, 7), (7, 1)

    def unit(self, x, name, kernel=(1, 1), stride=1, same=True):
        padding = (kernel[0] // 2, kernel[1] // 2) if same else 0
        return F.relu_(self.conv(x, name, stride, padding))

    def chain(self, x, name, kernels):
        """NAME, NAME_1, NAME_2 ... one after the other."""
        for i, kernel in enumerate(kernels):
            x = self.unit(x, name if i == 0 else f"{name}_{i}", kernel)
        return x

    @staticmethod
    def average(x):
        return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)

    def reduce(self, x, name, straight, tower, kernels):
        """Grid reduction: a strided branch, a tower ending in a strided 3x3, and max pooling."""
        last = f"{tower}_{len(kernels)}"
        return torch.cat([straight, self.unit(self.chain(x, tower, kernels), last, (3, 3), 2, False),
                          F.max_pool2d(x, 3, 2)], 1)

    def forward(self, x):
        one, three, five = (1, 1), (3, 3), (5, 5)
        x = self.unit(x, "conv", three, 2, False)
        x = self.unit(self.unit(x, "conv_1", three, 1, False), "conv_2", three)
        x = self.unit(self.unit(F.max_pool2d(x, 3, 2), "conv_3"), "conv_4", three, 1, False)
        x = F.max_pool2d(x, 3, 2)
        for m in ("mixed", "mixed_1", "mixed_2"):
            x = torch.cat([self.unit(x, m + "_conv"), self.chain(x, m + "_tower_conv", (one, five)),
                           self.chain(x, m + "_tower_1_conv", (one, three, three)),
                           self.unit(self.average(x), m + "_tower_2_conv")], 1)
        x = self.reduce(x, "mixed_3", self.unit(x, "mixed_3_conv", three, 2, False), "mixed_3_tower_conv", (one, three))
        row, column = self.ROW, self.COLUMN
        for m in ("mixed_4", "mixed_5", "mixed_6", "mixed_7"):
            x = torch.cat([self.unit(x, m + "_conv"), self.chain(x, m + "_tower_conv", (one, row, column)),
                           self.chain(x, m + "_tower_1_conv", (one, column, row, column, row)),
                           self.unit(self.average(x), m + "_tower_2_conv")], 1)
        straight = self.unit(self.unit(x, "mixed_8_tower_conv"), "mixed_8_tower_conv_1", three, 2, False)
        x = self.reduce(x, "mixed_8", straight, "mixed_8_tower_1_conv", (one, row, column))
        tower = self.unit(x, "mixed_9_tower_conv")
        y = torch.cat([self.unit(x, "mixed_9_conv"), self.unit(tower, "mixed_9_tower_mixed_conv", (1, 3)),
                       self.unit(tower, "mixed_9_tower_mixed_conv_1", (3, 1)),
                       self.unit(self.average(x), "mixed_9_tower_2_conv")], 1)
        return {"inception_m8": x.float().mean((2, 3)), "inception_m9": y.float().mean((2, 3))}


class Lite2(Teacher):
    """EfficientNet-Lite2; also gives its last map, the dense target."""

    def __init__(self):
        self.stem = lite_stem("efficientnet-lite2")[0].to(memory_format=torch.channels_last)
        self.prepare(("lite2", "lite2_map"), LITE_MEAN, LITE_STD)

    def forward(self, x):
        _, pooled, maps = self.stem(x, keep=("head",))
        return {"lite2": pooled, "lite2_map": maps["head"].permute(0, 2, 3, 1)}


def available(teacher_dir):
    """The teachers that can be built here; Lite2 always."""
    teachers = [Lite2()]
    for cls, file in ((MobileNetV2, "mnv2_tf.safetensors"), (InceptionV3, "inception_v3_m9.safetensors")):
        path = Path(teacher_dir) / file if teacher_dir else None
        if path is not None and path.exists():
            teachers.append(cls(path))
    return teachers
