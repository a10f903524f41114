"""The five tables, against the preparation written out with NumPy alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lambent.data.published import PUBLISHED, find_published, load_published
from lambent.data.published.gas import load_gas, uncorrelated
from lambent.data.published.hepmass import load_hepmass, too_repeated
from lambent.data.published.miniboone import load_miniboone
from lambent.data.published.power import load_power
from lambent.data.published.splits import Splits

from ...published_files import (
    draws,
    write_bsds300,
    write_gas,
    write_hepmass,
    write_miniboone,
    write_power,
)


def loaded(name: str, root: Path) -> Splits:
    return load_published(name, find_published(root)[name])


def check(found: Splits, train: np.ndarray, validation: np.ndarray, test: np.ndarray) -> None:
    """Equal up to the rounding of float32."""
    for table, rows in zip(
        (found.train, found.validation, found.test), (train, validation, test), strict=True
    ):
        assert table.rows.dtype.is_floating_point
        assert table.rows.shape == rows.shape
        np.testing.assert_allclose(table.rows.numpy(), rows, rtol=2e-6, atol=2e-6)


def cut(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As the released code cuts."""
    test = int(0.1 * rows.shape[0])
    rest = rows[0:-test]
    validation = int(0.1 * rest.shape[0])
    return rest[0:-validation], rest[-validation:], rows[-test:]


def test_power(tmp_path: Path) -> None:
    rows = write_power(tmp_path, 437).copy()
    stream = np.random.RandomState(42)
    stream.shuffle(rows)
    order = stream.rand(437, 1), stream.rand(437, 1), stream.rand(437, 3)
    voltage, active, metered = order
    active_power = rows[:, 0:1] + 0.001 * active
    prepared = np.hstack(
        (active_power, rows[:, 2:3] + 0.01 * voltage, rows[:, 4:7] + metered, rows[:, 7:8])
    )
    train, validation, test = cut(prepared)
    both = np.vstack((train, validation))
    mean, deviation = both.mean(0), both.std(0)
    check(loaded("power", tmp_path), *((p - mean) / deviation for p in (train, validation, test)))


def test_the_noise_of_power_is_drawn_for_the_voltage_first(tmp_path: Path) -> None:
    """All columns constant but for the noise, which then is all there is."""
    np.save(tmp_path / "data.npy", np.hstack((np.ones((100, 7)), np.arange(100.0)[:, None])))
    found = load_power(tmp_path / "data.npy")
    stream = np.random.RandomState(42)
    stream.shuffle(np.arange(100.0)[:, None])
    first, second = stream.rand(100), stream.rand(100)
    all_rows = np.vstack([t.rows for t in (found.train, found.validation, found.test)])
    assert np.corrcoef(all_rows[:, 1], first)[0, 1] > 0.999999
    assert np.corrcoef(all_rows[:, 0], second)[0, 1] > 0.999999


def test_gas(tmp_path: Path) -> None:
    rows = write_gas(tmp_path, 523)
    sensors = rows[:, 3:][:, 1::2]  # the second of each pair stays
    sensors = (sensors - sensors.mean(0)) / sensors.std(0, ddof=1)
    check(loaded("gas", tmp_path), *cut(sensors))


def test_gas_keeps_the_order_of_its_rows(tmp_path: Path) -> None:
    """The test rows are the last, so a drift stays between them and the training rows."""
    rows = draws(0, 200, 5)
    rows[:, 3] = np.arange(200) ** 1.5
    path = tmp_path / "ethylene_CO.txt"
    np.savetxt(path, rows, header="Time (s), CO conc (ppm), Ethylene conc (ppm), sensors")
    found = load_gas(path)
    column = [t.rows[:, 0] for t in (found.train, found.validation, found.test)]
    assert [len(part) for part in column] == [162, 18, 20]
    assert all((part.diff() > 0).all() for part in column)
    assert column[0].max() < column[1].min()
    assert column[1].max() < column[2].min()


def test_gas_of_the_original_text(tmp_path: Path) -> None:
    """The same as the pickle where both hold the same rows."""
    rows = write_gas(tmp_path, 210)
    text = tmp_path / "other/gas/ethylene_CO.txt"
    text.parent.mkdir(parents=True)
    np.savetxt(text, rows, "%.18e", header="names", comments="")
    pickled, plain = loaded("gas", tmp_path), loaded("gas", tmp_path / "other")
    np.testing.assert_array_equal(pickled.test.rows, plain.test.rows)
    np.testing.assert_array_equal(pickled.train.rows, plain.train.rows)


def test_the_first_of_correlated_columns_goes_again_and_again() -> None:
    draw = np.random.default_rng(0)
    a, b, c = draw.normal(size=(3, 5000))
    near = a + 0.01 * draw.normal(size=5000)
    nearer = a + 0.01 * draw.normal(size=5000)
    assert uncorrelated(np.stack((a, b, near, c, nearer), 1)) == [1, 3, 4]
    assert uncorrelated(np.stack((a, -near, b), 1)) == [0, 1, 2]  # above .98, not in size
    # In a chain where neighbours are close and ends are not, taking one away frees another.
    chain = [a, a + 0.15 * b, a + 0.3 * b, a + 0.45 * b]
    correlation = np.corrcoef(chain)
    assert correlation[0, 1] > 0.98 > correlation[0, 2]
    expected = [0, 1, 2, 3]
    while True:
        counts = (correlation[np.ix_(expected, expected)] > 0.98).sum(1)
        if not (counts > 1).any():
            break
        del expected[np.where(counts > 1)[0][0]]
    assert uncorrelated(np.stack(chain, 1)) == expected
    assert uncorrelated(np.ones((9, 1))) == [0]


def test_hepmass(tmp_path: Path) -> None:
    train, test = write_hepmass(tmp_path)
    train, test = train[train[:, 0] == 1][:, 1:], test[test[:, 0] == 1][:, 1:-1]
    mean, deviation = train.mean(0), train.std(0, ddof=1)
    train, test = (train - mean) / deviation, (test - mean) / deviation
    keep = [i for i in range(27) if sorted(Counter(train[:, i]).items())[0][1] <= 5]
    assert len(keep) == 21
    held_out = int(0.1 * len(train))
    found = loaded("hepmass", tmp_path)
    check(found, train[:-held_out, keep], train[-held_out:, keep], test[:, keep])


def test_the_count_of_the_smallest_value_decides() -> None:
    """A value that repeats but is not the smallest leaves its column in, as published."""
    count = 40
    varied = np.random.default_rng(0).normal(size=count)
    often_smallest = np.where(np.arange(count) < 6, varied.min() - 1, varied)
    five_smallest = np.where(np.arange(count) < 5, varied.min() - 1, varied)
    often_largest = np.where(np.arange(count) < 30, varied.max() + 1, varied)
    rows = np.stack((varied, often_smallest, five_smallest, often_largest), 1)
    assert too_repeated(rows).tolist() == [False, True, False, False]


def test_fields_beyond_the_header_are_not_read(tmp_path: Path) -> None:
    """As pandas has it with index_col=False, and a test row may lack the last field."""
    folder = tmp_path / "hepmass"
    write_hepmass(tmp_path, 120)
    before = load_hepmass(folder)
    head, *lines = (folder / "1000_train.csv").read_text().splitlines()
    (folder / "1000_train.csv").write_text("\n".join([head, *(line + ",7.0" for line in lines)]))
    head, *lines = (folder / "1000_test.csv").read_text().splitlines()
    short = [line.rsplit(",", 1)[0] for line in lines]
    (folder / "1000_test.csv").write_text("\n".join([head, *short]))
    after = load_hepmass(folder)
    np.testing.assert_array_equal(before.train.rows, after.train.rows)
    np.testing.assert_array_equal(before.test.rows, after.test.rows)


def test_miniboone(tmp_path: Path) -> None:
    rows = write_miniboone(tmp_path, 311)
    train, validation, test = cut(rows)
    both = np.vstack((train, validation))
    mean, deviation = both.mean(0), both.std(0)
    check(
        loaded("miniboone", tmp_path), *((p - mean) / deviation for p in (train, validation, test))
    )


def test_bsds300(tmp_path: Path) -> None:
    """As it is: nothing is parted, shuffled or scaled."""
    parts = write_bsds300(tmp_path)
    found = loaded("bsds300", tmp_path)
    for name, table in vars(found).items():
        np.testing.assert_array_equal(table.rows.numpy(), parts[name])


def test_tenths_are_rounded_down_as_published() -> None:
    assert all(int(0.1 * n) == n // 10 for n in range(0, 5_000_000, 7))


def test_what_is_found(tmp_path: Path) -> None:
    assert find_published(tmp_path) == {}
    write_power(tmp_path)
    write_hepmass(tmp_path)
    assert list(find_published(tmp_path)) == ["power", "hepmass"]
    (tmp_path / "hepmass/1000_test.csv").unlink()
    (tmp_path / "gas").mkdir()
    (tmp_path / "gas/ethylene_CO.txt").touch()
    assert list(find_published(tmp_path)) == ["power", "gas"]
    (tmp_path / "gas/ethylene_CO.pickle").touch()
    assert find_published(tmp_path)["gas"].suffix == ".pickle"
    assert list(PUBLISHED) == ["power", "gas", "hepmass", "miniboone", "bsds300"]


def test_other_columns_than_published_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "data.npy", draws(0, 100, 50))
    with pytest.raises(ValueError, match=r"^root: expected 43 columns of miniboone .* given 50"):
        load_published("miniboone", tmp_path / "data.npy")
    with pytest.raises(ValueError, match=r"^root: expected 8 columns in .* given 50"):
        load_power(tmp_path / "data.npy")


def test_bad_files(tmp_path: Path) -> None:
    path = tmp_path / "data.npy"
    for what, words in (
        (np.array([object()]), "expected an npy file"),
        (np.ones(4), r"expected numbers \(n, d\), given float64 \(4,\)"),
        (np.array([["a"]]), "expected numbers"),
        (np.ones((9, 2)), "expected at least 10 rows to part, given 9"),
        (np.ones((99, 2)), "expected columns that vary, given constant columns 0, 1"),
        (np.full((99, 2), np.nan), "expected columns that vary"),
    ):
        np.save(path, what, allow_pickle=True)
        with pytest.raises(ValueError, match=f"^root: {words}"):
            load_miniboone(path)
    holed = draws(0, 99, 2)
    holed[-1, 0] = np.inf
    np.save(path, holed)
    with pytest.raises(ValueError, match=r"^root: expected numbers alone, given 1 that are not"):
        load_miniboone(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"^root: expected an npy file, given .*data\.npy"):
        load_miniboone(path)
    np.savez(tmp_path / "x.npz", x=holed)
    (tmp_path / "x.npz").rename(path)
    with pytest.raises(ValueError, match=r"given an archive"):
        load_miniboone(path)


def test_bad_hepmass(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^root: expected a CSV file, given .*1000_train"):
        load_hepmass(tmp_path)
    train, test = tmp_path / "1000_train.csv", tmp_path / "1000_test.csv"
    train.write_text("# label,f0,f1\n" + "1,2,x\n" * 20)
    test.write_text("# label,f0,f1\n" + "1,2,3\n" * 20)
    with pytest.raises(ValueError, match=r"^root: expected one column more in 1000_test.csv"):
        load_hepmass(tmp_path)
    test.write_text("# label,f0,f1,mass\n" + "1,2,3,4\n" * 20)
    with pytest.raises(ValueError, match=r"^root: expected rows of numbers in .*1000_train"):
        load_hepmass(tmp_path)
    train.write_text("# label,f0,f1\n" + "0,2,4\n" * 20)
    with pytest.raises(ValueError, match=r"^root: expected rows of label 1 in .* given none"):
        load_hepmass(tmp_path)


def test_bad_gas_and_bsds300(tmp_path: Path) -> None:
    text = tmp_path / "ethylene_CO.txt"
    text.write_text("names\n1 2 3\n4 5 6\n")
    with pytest.raises(ValueError, match=r"^root: expected sensors in .* given 3 columns"):
        load_gas(text)
    text.write_text("names\n1 2 x\n")
    with pytest.raises(ValueError, match=r"^root: expected rows of numbers in"):
        load_gas(text)
    write_bsds300(tmp_path, 20)
    file = tmp_path / "BSDS300/BSDS300.hdf5"
    import h5py

    with h5py.File(file, "a") as opened:
        del opened["validation"]
    with pytest.raises(ValueError, match=r"^root: expected numbers .* called validation in"):
        load_published("bsds300", file)
    file.write_text("text")
    with pytest.raises(ValueError, match=r"^root: expected an HDF5 file, given"):
        load_published("bsds300", file)
