from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lambent import Flow, GlowConfig, Images, glow, initialize, measure, seeded
from lambent.core import Compose, Distribution
from lambent.distributions import StandardNormal
from lambent.evaluate import log_prob_by_class
from lambent.transforms import Dequantise, Quantise
from lambent.types import Context, PerSample, X

# p(level | class) of one pixel with 4 grey levels, and of its classes' mean.
TABLE = torch.tensor([[8, 4, 2, 2], [1, 1, 7, 7]]) / 16


class Table(Distribution):
    """One pixel whose level has the probabilities of a table's row; uniform within its bin."""

    def __init__(self) -> None:
        super().__init__()
        self.event_shape = (1, 1, 1)
        self.register_buffer("table", TABLE, persistent=False)

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        row = torch.zeros(len(x), dtype=torch.long) if context is None else context
        assert isinstance(row, Tensor)
        return self.table[row, x.flatten().floor().long()].log()

    def rsample(self, n: int | None = None, context: Any = None, *, temperature: Any = 1.0) -> X:
        row = torch.zeros(n or 1, dtype=torch.long) if context is None else context
        level = torch.multinomial(self.table[row], 1)
        return (level + torch.rand(level.shape)).reshape(-1, 1, 1, 1)


class Labels(nn.Module):
    """Labels as they are."""

    classes = 2

    def forward(self, labels: Tensor) -> Tensor:
        return labels


def table_flow(*, conditional: bool, dequantise: bool = True) -> Flow:
    steps = [Quantise(4), Dequantise(4)] if dequantise else [Quantise(4)]
    return Flow(Compose(*steps), Table(), context_encoder=Labels() if conditional else None)


def pixels(levels: list[int], labels: list[int] | None = None) -> Images:
    images = (64 * torch.tensor(levels)).to(torch.uint8).reshape(-1, 1, 1, 1)
    return Images(images, None if labels is None else torch.tensor(labels), grey_levels=4)


def test_mean_and_its_error_by_hand() -> None:
    """Levels of probabilities 1/2, 1/4, 1/8, 1/8 cost 1, 2, 3 and 3 bits."""
    result = measure(table_flow(conditional=False), pixels([0, 1, 2, 3, 0]))
    assert result.bits_per_dim == pytest.approx((1 + 2 + 3 + 3 + 1) / 5, abs=1e-6)
    assert result.standard_error == pytest.approx(1.0 / math.sqrt(5), abs=1e-6)  # variance 4 / 4
    assert (result.images, result.dims, result.grey_levels) == (5, 1, 4)
    assert result.parts == {"base": pytest.approx(2.0, abs=1e-6)}
    assert result.levels == []
    assert result.given is None
    assert result.marginal_bits_per_dim is None
    assert result.label_accuracy is None


def test_one_image_has_no_error() -> None:
    result = measure(table_flow(conditional=False), pixels([1]))
    assert result.bits_per_dim == pytest.approx(2.0, abs=1e-6)
    assert math.isnan(result.standard_error)


def test_given_the_label_and_without_it() -> None:
    flow = table_flow(conditional=True)
    levels, labels = [0, 1, 2, 3, 3, 0], [0, 0, 0, 1, 0, 1]
    p = TABLE[labels, levels]
    for batch_size in (256, 4):
        result = measure(flow, pixels(levels, labels), marginal=True, batch_size=batch_size)
        assert result.bits_per_dim == pytest.approx(float(-p.log2().mean()), abs=1e-6)
        mean = TABLE[:, levels].mean(0)
        assert result.marginal_bits_per_dim == pytest.approx(float(-mean.log2().mean()), abs=1e-6)
        assert result.label_accuracy == pytest.approx(3 / 6, abs=1e-12)
        assert result.given == "label"
    plain = measure(flow, pixels(levels, labels))
    assert plain.marginal_bits_per_dim is None
    assert plain.label_accuracy is None


def test_log_prob_by_class() -> None:
    found = log_prob_by_class(table_flow(conditional=True), pixels([0, 2, 3]).images)
    torch.testing.assert_close(found, TABLE[:, [0, 2, 3]].log())


def test_kind_and_sign() -> None:
    bound = measure(table_flow(conditional=False), pixels([0, 1]))
    assert (bound.likelihood, bound.sign) == ("bound", "≤")
    exact = measure(table_flow(conditional=False, dequantise=False), pixels([0, 1]))
    assert (exact.likelihood, exact.sign) == ("exact", "=")
    flow = table_flow(conditional=False)
    for kind, sign in (("unbiased", "≈"), ("approximate", "≈")):
        other = type("Other", (Table,), {"likelihood": property(lambda _, kind=kind: kind)})()
        flow = Flow(Quantise(4), other)
        result = measure(flow, pixels([0, 1]))
        assert (result.likelihood, result.sign) == (kind, sign)


def small_glow(**settings: Any) -> tuple[Flow, Images]:
    """A Glow away from its initial values, and images."""
    sizes = {"shape": (3, 8, 4), "grey_levels": 256, "levels": 2, "steps": 2, "width": 8}
    config = GlowConfig(**{**sizes, **settings})
    flow = glow(config)
    images = Images(
        torch.randint(0, 256, (70, 3, 8, 4), dtype=torch.uint8),
        torch.arange(70) % 3,
        grey_levels=config.grey_levels or 256,
    )
    initialize(flow, images.images, images.labels if flow.context_encoder else None)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter += 0.01 * torch.randn_like(parameter)
    return flow, images


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"levels": 1, "grey_levels": 17},
        {"conditioning": "strong", "classes": 3},
        {"learn_top": False, "coupling": "additive"},
    ],
)
def test_parts_and_levels_sum_to_the_bits(settings: dict[str, Any]) -> None:
    flow, images = small_glow(**settings)
    result = measure(flow, images, batch_size=32)
    assert sum(result.parts.values()) == pytest.approx(result.bits_per_dim, abs=1e-5)
    assert len(result.levels) == settings.get("levels", 2)
    grey_levels = settings.get("grey_levels", 256)
    assert result.parts["rescale"] == pytest.approx(math.log2(grey_levels), abs=1e-5)
    assert result.grey_levels == (grey_levels if grey_levels < 256 else None)
    total = sum(result.levels) + result.parts["rescale"]
    assert total == pytest.approx(result.bits_per_dim, abs=1e-5)


def test_levels_by_hand() -> None:
    """A level's share is its own steps and the density of its own part of the latent."""
    flow, images = small_glow()
    result = measure(flow, images, seed=4)
    with seeded(4), torch.no_grad():
        z = flow.transform["dequantise"](images.images)[0]
        z = flow.transform["rescale"](z)[0]
        level0, level1 = flow.transform["scales"].levels
        z, log_det = level0(z)
        kept, left = z[:, :6], z[:, 6:]
        last, log_det1 = level1(kept)
        shares = [
            log_det + StandardNormal(left.shape[1:])(left),
            log_det1 + StandardNormal(last.shape[1:])(last),
        ]
    for found, share in zip(result.levels, shares, strict=True):
        assert found == pytest.approx(-float(share.mean()) / (96 * math.log(2)), abs=1e-5)


def test_seed_decides_the_noise() -> None:
    flow, images = small_glow()
    generator = torch.get_rng_state()
    bits = [measure(flow, images, seed=seed).bits_per_dim for seed in (0, 0, 1)]
    assert bits[0] == bits[1] != bits[2]
    assert bits[2] == pytest.approx(bits[0], abs=0.05)
    assert torch.equal(torch.get_rng_state(), generator)


def test_measures_in_eval_mode() -> None:
    flow, images = small_glow(dropout=0.5)
    flow.train()
    first = measure(flow, images).bits_per_dim
    assert not flow.training
    with seeded(0):
        expected = -flow.log_prob(images.images).mean() / (96 * math.log(2))
    assert first == pytest.approx(expected.item(), abs=1e-4)


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"^data: the flow is conditional; expected labelled"):
        measure(table_flow(conditional=True), pixels([0, 1]))
    with pytest.raises(ValueError, match=r"^marginal: expected a flow conditional on labels"):
        measure(table_flow(conditional=False), pixels([0, 1], [0, 1]), marginal=True)
    with pytest.raises(ValueError, match=r"^x: expected a batch of events"):
        measure(small_glow()[0], pixels([0, 1]))


def test_every_class_sees_the_same_noise() -> None:
    """An untrained label says nothing, so no class may come out likelier than another."""
    config = GlowConfig(shape=(1, 4, 4), grey_levels=4, levels=1, steps=1, width=8)
    flow = glow(replace(config, conditioning="top", classes=3))
    by_class = log_prob_by_class(flow, torch.randint(0, 256, (5, 1, 4, 4), dtype=torch.uint8))
    assert by_class.shape == (3, 5)
    assert torch.equal(by_class, by_class[:1].expand(3, -1))
    assert by_class.std(1).min() > 0
