"""Tests of the detector and of what is learned from it; the detector's weights are random and narrow."""
import struct
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from tessera_training import detector, objects
from tessera_training.detector import Detector, anchors, branch, covered, scope_layers
from tessera_training.export import export
from tessera_training.frozen_graph import read_constants
from tessera_training.golden import random_hybrid
from tessera_training.hybrid_file import conditioned, read_hybrid
from tessera_training.stem import LITE_MEAN, LITE_STD
from tessera_training.targets import REGIONS

CLASSES = 5


def message(number, data):
    """One length-delimited field."""
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


def constant(name, array):
    """A Const node as TensorFlow writes it."""
    shape = b"".join(message(2, bytes([8, side])) for side in array.shape)
    tensor = bytes([8, 1]) + message(2, shape) + message(4, array.astype("<f4").tobytes())
    value = message(1, b"value") + message(2, message(8, tensor))
    return message(1, message(1, name) + message(2, b"Const") + message(5, value))


def random_constants(seed=0):
    """The constants of the detector with few channels."""
    rng, out = np.random.default_rng(seed), {}
    root = "FeatureExtractor/MobilenetV2/"

    def layer(scope, kernel, cin, cout, depthwise=False, norm=True):
        shape = (kernel, kernel, cin, 1) if depthwise else (kernel, kernel, cin, cout)
        fan = kernel * kernel * (1 if depthwise else cin)
        out[scope + ("/depthwise_weights" if depthwise else "/weights")] = rng.normal(0, (2 / fan) ** 0.5, shape).astype("f")
        if norm:
            for part in ("gamma", "moving_variance"):
                out[f"{scope}/BatchNorm/{part}"] = rng.uniform(0.7, 1.4, cout).astype("f")
            for part in ("beta", "moving_mean"):
                out[f"{scope}/BatchNorm/{part}"] = rng.normal(0, 0.2, cout).astype("f")
        else:
            out[scope + "/biases"] = rng.normal(0, 0.2, cout).astype("f")

    layer(root + "Conv", 3, 3, 4)
    width = 4
    for i in range(detector.BLOCKS):
        scope, following = root + ("expanded_conv" if i == 0 else f"expanded_conv_{i}"), 4 + 2 * (i // 6)
        inner = width if i == 0 else 2 * width
        if i > 0:
            layer(scope + "/expand", 1, width, inner)
        layer(scope + "/depthwise", 3, inner, inner, depthwise=True)
        layer(scope + "/project", 1, inner, following)
        width = following
    layer(root + "Conv_1", 1, width, 12)
    before, inner = 12, 2 * (4 + 2 * (12 // 6))   # of block 13
    sources = [inner, 12]
    for i, out_width in enumerate((512, 256, 256, 128), start=2):
        layer(f"{root}layer_19_1_Conv2d_{i}_1x1_{out_width // 2}", 1, before, 3)
        scope = f"{root}layer_19_2_Conv2d_{i}_3x3_s2_{out_width}"
        layer(scope + "_depthwise", 3, 3, 3, depthwise=True)
        layer(scope, 1, 3, 6)
        before = 6
        sources.append(6)
    for level, cin in enumerate(sources):
        count = 3 if level == 0 else 6
        layer(f"BoxPredictor_{level}/ClassPredictor", 3, cin, count * (1 + CLASSES), norm=False)
        layer(f"BoxPredictor_{level}/BoxEncodingPredictor", 3, cin, count * 4, norm=False)
    return out


class FrozenGraphTest(unittest.TestCase):
    def read(self, data):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "graph.pb"
            path.write_bytes(data)
            return read_constants(path)

    def test_constants_come_back(self):
        a, b = np.arange(6, dtype="f").reshape(2, 3), np.array([0.5], "f")
        found = self.read(constant(b"a", a) + constant(b"scope/b", b))
        self.assertEqual(set(found), {"a", "scope/b"})
        np.testing.assert_array_equal(found["a"], a)
        np.testing.assert_array_equal(found["scope/b"], b)

    def test_one_value_fills_its_shape(self):
        tensor = bytes([8, 1]) + message(2, message(2, bytes([8, 3]))) + message(5, struct.pack("<f", 2.5))
        value = message(1, b"value") + message(2, message(8, tensor))
        found = self.read(message(1, message(1, b"x") + message(2, b"Const") + message(5, value)))
        self.assertEqual(found["x"].tolist(), [2.5] * 3)

    def test_other_files_are_refused(self):
        whole = constant(b"a", np.ones(4, "f"))
        for data in (b"", b"PNG\r\n", whole[:-3], whole + b"\x0b"):
            with self.assertRaisesRegex(ValueError, "not a frozen TensorFlow graph"):
                self.read(data)


class DetectorTest(unittest.TestCase):
    def setUp(self):
        patch = mock.patch.object(detector, "read_constants", lambda _: random_constants())
        patch.start()
        self.addCleanup(patch.stop)

    def test_anchors_of_the_reference(self):
        self.assertEqual([len(anchors(level, side)) for level, side in enumerate((19, 10, 5, 3, 2, 1))],
                         [1083, 600, 150, 54, 24, 6])
        first = anchors(0, 19)
        torch.testing.assert_close(first[0], torch.tensor([0.5 / 19, 0.5 / 19, 0.1, 0.1]))
        torch.testing.assert_close(first[1, 2:], torch.tensor([0.2 / 2 ** 0.5, 0.2 * 2 ** 0.5]))
        torch.testing.assert_close(first[4, :2], torch.tensor([0.5 / 19, 1.5 / 19]))
        torch.testing.assert_close(anchors(5, 1)[5, 2:], torch.tensor([0.95 ** 0.5] * 2))

    def test_covered_cells(self):
        boxes = torch.tensor([[[0.0, 0.0, 1.0, 0.5], [0.25, 0.5, 0.5, 0.625]]])
        share = covered(boxes, 4)[0]
        self.assertEqual(share[0].tolist(), [[1, 1, 0, 0]] * 4)
        self.assertEqual(share[1].nonzero().tolist(), [[1, 2]])
        self.assertEqual(share[1, 1, 2].item(), 0.5)

    def test_map_holds_the_best_box_of_each_class(self):
        network = Detector("graph.pb")
        self.assertEqual(network.classes, list(range(1, 1 + CLASSES)))
        scores = torch.zeros(1, 3, CLASSES)
        scores[0, 0, 2], scores[0, 1, 2], scores[0, 2, 4] = 0.8, 0.6, 0.01
        boxes = torch.tensor([[[0.0, 0, 1, 0.5], [0, 0, 1, 1], [0, 0, 1, 1]]])
        with mock.patch.object(network, "boxes", lambda _: (scores, boxes)):
            cells = network.maps(np.zeros((1, 4, 4, 3), np.uint8), cells=4)
        np.testing.assert_allclose(cells[0, :, :, 2], [[0.8, 0.8, 0.6, 0.6]] * 4, atol=1e-3)
        self.assertEqual(np.delete(cells, 2, 3).max(), 0)

    def test_whole_network_runs(self):
        network = Detector("graph.pb")
        pictures = np.random.default_rng(1).integers(0, 256, (2, 300, 300, 3), dtype=np.uint8)
        scores, boxes = network.boxes(pictures)
        self.assertEqual(scores.shape, (2, 1917, CLASSES))
        self.assertEqual(boxes.shape, (2, 1917, 4))
        self.assertTrue(((boxes[..., :2] <= boxes[..., 2:]) & (boxes >= 0).all(-1, True)).all())

    def test_branch_is_the_backbone_for_the_stems_input(self):
        layers, tensors = scope_layers(random_constants())
        names = ["detector.block12.project", "detector.block16.project"]
        whole = detector.load_stem(layers, tensors, names[:1], names[0])
        part_layers, part_tensors, maps = branch("graph.pb")
        self.assertEqual(maps, names)
        self.assertEqual(part_layers[-1]["name"], names[1])
        part = detector.load_stem(part_layers, part_tensors, maps, maps[-1])
        pixels = torch.rand(1, 3, 192, 192, generator=torch.Generator().manual_seed(1))
        with torch.inference_mode():
            wanted = whole((pixels - 0.5) / 0.5, keep=names)[2]
            found = part((pixels - LITE_MEAN) / LITE_STD, keep=names)[2]
        # The border pads with another grey; the middle of the fine map does not see it much.
        middle = slice(4, 8)
        difference = (found[names[0]] - wanted[names[0]])[:, :, middle, middle].abs().max()
        self.assertLess(difference.item(), 0.02 * wanted[names[0]].abs().max().item())
        self.assertTrue([la for la in part_layers if "add" in la])


class ObjectsTest(unittest.TestCase):
    def setUp(self):
        patch = mock.patch.object(detector, "read_constants", lambda _: random_constants())
        patch.start()
        self.addCleanup(patch.stop)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = Path(folder.name)
        export(random_hybrid(5), self.work / "old", "t", 64, half=False)
        self.hybrid = read_hybrid(self.work / "old")
        rng = np.random.default_rng(0)
        self.pictures = rng.integers(0, 256, (24, 96, 96, 3), dtype=np.uint8)
        maps = self.hybrid.stem.spec["patch_maps"]
        with torch.inference_mode():
            _, pooled, kept = self.hybrid.stem(conditioned(self.pictures), keep=maps)
        cells = rng.random((24, 12, 12, CLASSES)) ** 4
        for number in range(4):
            chunk = self.work / "cache" / "0" / f"{number:05}"
            chunk.mkdir(parents=True)
            np.save(chunk / "names.npy", np.arange(24) + 24 * number)
            np.save(chunk / "picture.npy", self.pictures)
            np.save(chunk / "stem.pooled.npy", pooled.numpy())
            np.save(chunk / "detector.npy", np.roll(cells, number, 0).astype(np.float16))
            for name in maps:
                np.save(chunk / f"stem.{name}.npy", kept[name].permute(0, 2, 3, 1).numpy())
        self.store = objects.Store(self.work / "cache")

    def test_regions_take_the_greatest_cell(self):
        cells = torch.zeros(1, 12, 12, 2)
        cells[0, 1, 10, 1] = 0.5
        found = objects.in_regions(cells)[0]
        holds = [bool(t * 12 <= 1 < b * 12 and left * 12 <= 10 < right * 12) for t, b, left, right in REGIONS]
        self.assertEqual((found[:, 1] == 0.5).tolist(), holds)
        self.assertEqual(found[:, 0].max().item(), 0)

    def test_sampling_leaves_out_what_is_held_out(self):
        batch = self.store.sample(16, np.random.default_rng(0))
        self.assertEqual(len(batch["picture"]), 16)
        self.assertEqual(self.store.count(), 48)

    def test_target_holds_the_present_token_and_the_objects_apart(self):
        old = objects.encoder_of(self.hybrid)
        targets = objects.Targets.fit(old, self.store.held_out, False)
        batch = self.store.held_out[0].rows(np.arange(8))
        was = objects.unit(old(batch)[1][:, 1:1 + len(REGIONS)])
        wanted = targets.tokens(was, batch["detector"])
        torch.testing.assert_close(wanted.norm(dim=-1), torch.ones(wanted.shape[:2]))
        found = objects.unit(wanted @ targets.directions.T)
        truth = objects.unit(objects.objects_of(batch["detector"]) - targets.mean)[:, :wanted.shape[1]]
        self.assertGreater((found * truth).sum(-1).mean().item(), 0.95)
        self.assertGreater((wanted * was).sum(-1).mean().item(), 0.9 * objects.KEPT_SHARE ** 0.5)

    def test_directions_that_a_model_has_learned_are_found_again(self):
        old = objects.encoder_of(self.hybrid)
        first = objects.Targets.fit(old, self.store.held_out, False)

        def taught(batch):
            prefix, tokens = old(batch)
            wanted = first.tokens(tokens[:, 1:1 + len(REGIONS)], batch["detector"])
            return prefix, torch.cat([tokens[:, :1], 3 * wanted + 0.1 * torch.randn(wanted.shape)], 1)
        again = objects.Targets.fit(taught, self.store.held_out, True)
        self.assertGreater((objects.unit(again.directions) * objects.unit(first.directions)).sum(-1).min().item(), 0.9)

    def test_a_fresh_student_is_the_old_model_and_a_trained_one_is_what_its_file_gives(self):
        student = objects.Student(self.hybrid, "graph.pb", CLASSES).eval()
        student.normalise(self.store.held_out)
        batch = self.store.held_out[0].rows(np.arange(8))
        with torch.inference_mode():
            wanted = objects.encoder_of(self.hybrid)(batch)
            found = student(batch)
        torch.testing.assert_close(found[0], wanted[0], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(found[1], wanted[1], rtol=1e-4, atol=1e-4)
        torch.manual_seed(0)
        with torch.no_grad():
            student.hybrid.radio.patch_generator.embedder.weight.add_(0.05 * torch.randn(16, student.hybrid.stem.patch_width))
            expected = student(batch)[1]
            export(student.finished(), self.work / "new", "t", 96, half=False)
            again = read_hybrid(self.work / "new").encode(conditioned(batch["picture"].numpy()))[1]
        self.assertGreater((expected - wanted[1]).abs().max().item(), 0.1)
        torch.testing.assert_close(again, expected, rtol=1e-3, atol=1e-3)

    def test_training_lowers_its_loss_resumes_and_settles(self):
        with mock.patch.object(objects, "BATCH", 16), mock.patch.object(objects, "has_bf16", lambda _: False):
            objects.train(self.work, self.work / "old", "graph.pb", 0.05, log_every=1000)
            first = torch.load(self.work / "objects.pt", weights_only=True)
            objects.train(self.work, self.work / "old", "graph.pb", 0.08, log_every=1000)
            second = torch.load(self.work / "objects.pt", weights_only=True)
            hybrid, errors, step = objects.finish(self.work, self.work / "old", "graph.pb", 20, chunks=1)
            export(hybrid, self.work / "new", "t", 96, half=False)
            (self.work / "objects.pt").unlink()
            with self.assertRaisesRegex(ValueError, "has the branch already"):
                objects.train(self.work, self.work / "new", "graph.pb", 0.02)
            objects.train(self.work, self.work / "new", "graph.pb", 0.001, self.work / "old", log_every=1000)
            third = torch.load(self.work / "objects.pt", weights_only=True)
            again, _, _ = objects.finish(self.work, self.work / "new", "graph.pb", 1, self.work / "old", chunks=1)
        self.assertEqual([la["name"] for la in again.stem.spec["layers"]], [la["name"] for la in hybrid.stem.spec["layers"]])
        self.assertGreater(third["step"], 0)
        self.assertGreater(first["step"], 0)
        self.assertGreater(second["step"], first["step"])
        self.assertEqual(step, second["step"])
        torch.testing.assert_close(first["directions"], second["directions"])
        lines = [line for line in (self.work / "objects.log").read_text().splitlines() if line]
        self.assertEqual(len(lines), 3)
        self.assertTrue(np.isfinite(errors).all())
        old, new = self.hybrid.radio.state_dict(), hybrid.radio.state_dict()
        self.assertFalse(torch.equal(old["blocks.0.mlp.fc1.weight"], new["blocks.0.mlp.fc1.weight"]))
        self.assertTrue(torch.equal(old["token0_map.weight"], new["token0_map.weight"]))


if __name__ == "__main__":
    unittest.main()
