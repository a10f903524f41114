"""What simple codes need for an image set, to measure a flow against."""

from __future__ import annotations

import math
from io import BytesIO

import torch
from jaxtyping import Int64
from torch import Tensor

from lambent.data import ImageSet, batches, level_of, to_picture

SHRINKAGE = 0.001
"""Share of the covariance that is replaced by its diagonal, so that it is definite for any set.

Chosen on CIFAR-10 (3,072 dimensions), where neighbouring pixels agree so closely that ten times as
much hides what they tell, while a tenth of it overfits a few thousand images.
"""

MOST_DIMS = 4096
"""Largest image, in dimensions, that the full-covariance Gaussian is fitted to."""

_BATCH = 1024


def yardsticks(train: ImageSet, held_out: ImageSet) -> dict[str, float]:
    """Return the bits per dimension that simple codes need for an image set.

    All but "png" are of the image at its grey levels: level ``floor(x n / 256)`` of pixel x.

    - "uniform": log2 of the number of grey levels.
    - "histogram": each pixel and channel by itself, by its counts in ``train``, plus one each.
    - "gaussian": a normal density with the full covariance of the uniformly dequantised levels of
      ``train``, shrunk to its diagonal by ``SHRINKAGE``. An upper bound, as a dequantised flow's
      is; the mean over the noise is taken exactly, so no draw is involved. Loose if ``train`` has
      fewer images than dimensions, and left out above ``MOST_DIMS`` of these.
    - "png": the size of each image's own PNG file, of the pixels as stored, headers included.
      Left out unless there are 1 or 3 channels.

    Args:
        train: The set the codes are fitted to.
        held_out: The set they are measured on.

    Returns:
        The mean over ``held_out`` by name, in the order above.

    Raises:
        ValueError: If the two sets differ in shape or grey levels.
    """
    for fact in ("shape", "grey_levels"):
        expected, given = getattr(train, fact), getattr(held_out, fact)
        if expected != given:
            raise ValueError(f"held_out: expected {fact} {expected} as train has, given {given}")
    bits = {"uniform": math.log2(train.grey_levels), "histogram": _histogram(train, held_out)}
    if math.prod(train.shape) <= MOST_DIMS:
        bits["gaussian"] = _gaussian(train, held_out)
    if train.shape[0] in (1, 3):
        bits["png"] = _png(held_out)
    return bits


def _levels(pixels: Tensor, grey_levels: int) -> Int64[Tensor, "b d"]:
    return level_of(pixels.flatten(1), grey_levels).long()


def _counts(images: ImageSet, dims: slice) -> Int64[Tensor, "d levels"]:
    """Count the levels of some dimensions."""
    n = images.grey_levels
    width = dims.stop - dims.start
    first = torch.arange(width) * n
    total = torch.zeros(width * n, dtype=torch.int64)
    for pixels, _ in batches(images, _BATCH):
        levels = _levels(pixels.flatten(1)[:, dims], n)
        total += torch.bincount((levels + first).flatten(), minlength=width * n)
    return total.view(width, n)


def _histogram(train: ImageSet, held_out: ImageSet) -> float:
    dims = math.prod(train.shape)
    bits = 0.0
    for start in range(0, dims, MOST_DIMS):  # in parts, so that large images need little memory
        part = slice(start, min(start + MOST_DIMS, dims))
        smoothed = (_counts(train, part) + 1).double()
        log2_p = (smoothed / smoothed.sum(1, keepdim=True)).log2()
        bits -= float((_counts(held_out, part) * log2_p).sum())
    return bits / (dims * len(held_out))


def _moments(images: ImageSet, centre: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean (d,) and the second moments (d, d) of the levels about ``centre``."""
    dims = math.prod(images.shape)
    mean = torch.zeros(dims, dtype=torch.float64)
    second = torch.zeros(dims, dims, dtype=torch.float64)
    for pixels, _ in batches(images, _BATCH):
        away = _levels(pixels, images.grey_levels).double() - centre
        mean += away.sum(0)
        second.addmm_(away.T, away)
    return mean / len(images), second / len(images)


def _gaussian(train: ImageSet, held_out: ImageSet) -> float:
    """Mean of -log2 N(v + u; m, S) a dimension over levels v and noise u, uniform on [0, 1).

    The noise adds 1/2 to the mean, which cancels, and 1/12 to each variance (of either set); with
    M the second moments of held-out levels about m - 1/2, the mean square is tr(S^-1 (M + I/12)).
    """
    dims = math.prod(train.shape)
    noise = torch.eye(dims, dtype=torch.float64) / 12
    first = _levels(train[:1][0], train.grey_levels)[0].double()
    mean, second = _moments(train, first)
    covariance = second - mean.outer(mean) + noise
    covariance = torch.lerp(covariance, covariance.diagonal().diag(), SHRINKAGE)
    _, about = _moments(held_out, first + mean)
    factor = torch.linalg.cholesky(covariance)
    square = float((torch.cholesky_inverse(factor) * (about + noise)).sum())
    log_det = 2 * float(factor.diagonal().log().sum())
    return 0.5 * (math.log(2 * math.pi) + (log_det + square) / dims) / math.log(2)


def _png(images: ImageSet) -> float:
    size = 0
    for pixels, _ in batches(images, _BATCH):
        for image in pixels:
            file = BytesIO()
            to_picture(image).save(file, format="PNG", optimize=True)
            size += file.tell()
    return 8 * size / (len(images) * math.prod(images.shape))
