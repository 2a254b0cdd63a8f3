import numpy as np
import pandas as pd
import pytest

from multilabel.experiments.transfer import figures

GRID = [f"coco_2017_zmuvs_avg_{n}x{size}d5_lr{rate}_b128" for n in (1, 2) for size in (1024, 2048) for rate in (11, 52)]


def log(epochs, level=0.07):
    steps = np.arange(epochs)
    return pd.DataFrame({"epoch": steps, "val_loss": level + 0.1 * np.exp(-steps / 5), "seconds": 2.0})


def saved(figure, folder):
    figures.save(figure, folder / "figure")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("x", ["epoch", "time"])
def test_loss_curves_end_where_training_stopped(x):
    figure = figures.loss_curves({GRID[0]: log(10), GRID[1]: log(25)}, x=x)
    ends = sorted(line.get_xdata()[-1] for line in figure.axes[0].lines if line.get_marker() == "o")
    assert ends == ([10, 25] if x == "epoch" else [20, 50])


def test_a_band_is_one_deviation_around_the_mean_of_the_seeds_and_ends_with_the_shortest():
    logs = [log(20, level) for level in (0.06, 0.07, 0.08)]
    logs[1] = logs[1][:12]
    drawn = figures.loss_curves({GRID[0]: logs[0], GRID[1]: log(20)}, repeats={GRID[0]: logs[1:]})
    (band,) = drawn.axes[0].collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 0].max() == 12
    end = corners[corners[:, 0] == 12, 1]
    expected = 0.07 + 0.1 * np.exp(-11 / 5) + np.array([-0.01, 0.01])
    np.testing.assert_allclose([end.min(), end.max()], expected)


def test_loss_curves_name_the_log_without_seconds():
    with pytest.raises(ValueError, match=f"log of {GRID[0]}: expected a column seconds"):
        figures.loss_curves({GRID[0]: log(3).drop(columns="seconds")}, x="time")


def test_loss_curves_need_a_run():
    with pytest.raises(ValueError, match="at least one run"):
        figures.loss_curves({})


@pytest.mark.parametrize("losses", [[0.5], [0.5, 0.5], [np.nan, np.nan], [0.7, np.inf, 0.6]])
def test_short_flat_and_diverged_runs_are_drawn(tmp_path, losses):
    short = pd.DataFrame({"epoch": range(len(losses)), "val_loss": losses})
    saved(figures.loss_curves({GRID[0]: short}), tmp_path)


def test_an_emphasised_run_is_thicker():
    figure = figures.loss_curves({name: log(5) for name in GRID[:3]}, emphasise=[GRID[1]])
    widths = {line.get_label(): line.get_linewidth() for line in figure.axes[0].lines if line.get_marker() != "o"}
    assert max(widths, key=lambda label: widths[label]) == figures.curve_labels(GRID[:3])[1]


def test_a_run_looks_the_same_in_two_panels():
    styles = figures.run_styles(GRID)
    lines = [
        next(line for line in figures.loss_curves(logs, styles=styles).axes[0].lines if len(line.get_xdata()) == 7)
        for logs in ({GRID[0]: log(7), GRID[1]: log(9)}, {GRID[5]: log(4), GRID[0]: log(7)})
    ]
    assert lines[0].get_color() == lines[1].get_color()
    assert lines[0].get_linestyle() == lines[1].get_linestyle()


def test_styles_do_not_depend_on_the_order_of_the_runs():
    assert figures.run_styles(GRID) == figures.run_styles(GRID[::-1])


@pytest.mark.parametrize(
    "names",
    [
        GRID,
        [f"run{i}" for i in range(9)],
        [
            f"c_1_{p}_avg_1x8d5_lr{r}_b{b}_15_lr{q}_b8"
            for p in ("inet", "zmuvs")
            for r in (11, 52)
            for b in (1, 2)
            for q in (11, 52)
        ],
    ],
)
def test_no_two_runs_look_alike(names):
    styles = figures.run_styles(names)
    assert len(set(styles.values())) == len(names)


def test_a_colour_stands_for_one_value_of_a_hyper_parameter():
    styles = figures.run_styles([f"c_1_zmuvs_avg_{n}x{size}d5_lr11_b8" for n in (1, 2) for size in (8, 16, 32)])
    assert [style.colour for style in styles.values()] == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["c_1_zmuvs_avg_1x8d5_lr11_b8", "c_1_zmuvs_avg_2x8d5_lr11_b8"], ["1x8", "2x8"]),
        (["c_1_zmuvs_avg_2x8d5_lr11_b8", "c_1_inet_avg_2x8bn_lr11_b8"], ["zmuvs d5", "inet bn"]),
        (["c_1_zmuvs_avg_2x8d5_lr11_b8_15_lr11_b4", "c_1_zmuvs_avg_2x8d5_lr11_b8_15_lr11_b4_hf"], ["", "hf"]),
        (["c_1_zmuvs_avg_2x8d5_lr11_b8"], ["c_1_zmuvs_avg_2x8d5_lr11_b8"]),
    ],
)
def test_a_label_says_what_tells_the_run_apart(names, labels):
    assert figures.curve_labels(names) == labels


def test_the_title_says_what_the_runs_share():
    figure = figures.loss_curves({name: log(5) for name in GRID})
    assert figure.axes[0].get_legend().get_title().get_text() == "coco_2017_zmuvs_avg_…d5_…_b128"


def test_a_learning_curve_names_each_number_of_images():
    rows = [(labels, images, 0.5, 0.5, 0.1) for labels in ("all labels", "one label") for images in (100, 3000)]
    columns = ["labels", "images", "mAP", "µF1 top-k per image", "validation loss"]
    figure = figures.learning_curve(pd.DataFrame(rows, columns=columns))
    assert [len(axes.lines) for axes in figure.axes] == [2, 2, 2]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["100", "3,000"]
