"""What the literature reports of the published tables: mean log-likelihood of a test row, in nats.

Collected from later papers and notes that quote the tables, not from each paper itself.
"""

from __future__ import annotations

from dataclasses import dataclass

TABLES = ("power", "gas", "hepmass", "miniboone", "bsds300")
"""The tables in the order of the figures below."""


@dataclass(frozen=True)
class Reported:
    """One row."""

    name: str
    """The model; in brackets its layers, or C for couplings and AR for autoregressive."""
    source: str
    """The paper that has it."""
    figures: tuple[float | None, ...]
    """Of each table."""


MAF = "Papamakarios et al. 2017, arXiv:1705.07057"
TAN = "Oliva et al. 2018, arXiv:1801.09819"
NAF = "Huang et al. 2018, arXiv:1804.00779"
FFJORD = "Grathwohl et al. 2019, arXiv:1810.01367"
BLOCK_NAF = "De Cao et al. 2019, arXiv:1904.04676"
SOS = "Jaini et al. 2019, arXiv:1905.02325"
NSF = "Durkan et al. 2019, arXiv:1906.04032"
OT_FLOW = "Onken et al. 2021, arXiv:2006.00104"

GAUSSIAN = Reported("Gaussian", MAF, (-7.74, -3.58, -27.93, -37.24, 96.67))
"""The normal with mean and full covariance of the training rows, which anyone can compute."""

LEADERBOARD = (
    GAUSSIAN,
    Reported("MADE", MAF, (-3.08, 3.56, -20.98, -15.59, 148.85)),
    Reported("MADE MoG", MAF, (0.40, 8.47, -15.15, -12.27, 153.71)),
    Reported("Real NVP (5)", MAF, (-0.02, 4.78, -19.62, -13.55, 152.97)),
    Reported("Real NVP (10)", MAF, (0.17, 8.33, -18.71, -13.84, 153.28)),
    Reported("MAF (5)", MAF, (0.14, 9.07, -17.70, -11.75, 155.69)),
    Reported("MAF (10)", MAF, (0.24, 10.08, -17.73, -12.24, 154.93)),
    Reported("MAF MoG (5)", MAF, (0.30, 9.59, -17.39, -11.68, 156.36)),
    Reported("Glow", FFJORD, (0.17, 8.15, -18.92, -11.35, 155.07)),
    Reported("FFJORD", FFJORD, (0.46, 8.59, -14.92, -10.43, 157.40)),
    Reported("TAN", TAN, (0.48, 11.19, -15.12, -11.01, 157.03)),
    Reported("NAF (DDSF)", NAF, (0.62, 11.96, -15.09, -8.86, 157.73)),
    Reported("Block-NAF", BLOCK_NAF, (0.61, 12.06, -14.71, -8.95, 157.36)),
    Reported("SOS", SOS, (0.60, 11.99, -15.15, -8.90, 157.48)),
    Reported("Glow", NSF, (0.42, 12.24, -16.99, -10.55, 156.95)),
    Reported("MAF", NSF, (0.45, 12.35, -17.03, -10.92, 156.95)),
    Reported("Q-NSF (C)", NSF, (0.64, 12.80, -15.35, -9.35, 157.65)),
    Reported("Q-NSF (AR)", NSF, (0.66, 12.91, -14.67, -9.72, 157.42)),
    Reported("RQ-NSF (C)", NSF, (0.64, 13.09, -14.75, -9.67, 157.54)),
    Reported("RQ-NSF (AR)", NSF, (0.66, 13.09, -14.01, -9.22, 157.31)),
    Reported("OT-Flow", OT_FLOW, (0.30, 9.20, None, -10.55, 154.20)),
)
"""All rows, in the order of their papers."""


def reported(row: Reported, table: str) -> float | None:
    """The figure of a row on a table, if there is one.

    Args:
        row: The row.
        table: The table's name.

    Returns:
        Nats.
    """
    return row.figures[TABLES.index(table)]
