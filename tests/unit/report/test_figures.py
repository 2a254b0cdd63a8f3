import os
import subprocess
import sys
import warnings
from itertools import pairwise

import matplotlib
import numpy as np
import pandas as pd
import pytest

from multilabel.report import figures

SAVE = """
import sys
import pandas as pd
from multilabel.report import figures
figures.save(figures.labels_per_image(pd.DataFrame({"train": [3, 20, 5], "val": [1, 4, 0]})), sys.argv[1])
"""


def counts(n):
    return pd.DataFrame(
        {"train": np.arange(n) * 100 + 5, "val": np.arange(n)}, index=[f"class number {i}" for i in range(n)]
    )


def saved(figure, folder):
    figures.save(figure, folder / "figure")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_figure_is_saved_as_pdf_and_png(tmp_path):
    assert set(saved(figures.images_per_class(counts(3)), tmp_path)) == {"figure.pdf", "figure.png"}


def test_names_with_dollar_signs_are_text(tmp_path):
    """As mathematics, what stands between them would be set in italics, or not be readable at all."""
    frame = counts(2).set_axis(["$100 and $frac{", "_b^"], axis=0)
    saved(figures.images_per_class(frame), tmp_path)
    pdf = matplotlib.rcParamsDefault | figures.STYLE
    assert pdf["text.parse_math"] is False


def test_characters_that_no_font_has_are_said_once(tmp_path, capsys):
    frame = counts(2).set_axis(["\U0001fac8", "\U0001fac8b"], axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        saved(figures.images_per_class(frame), tmp_path)
    (line,) = capsys.readouterr().out.splitlines()
    assert line == f"{tmp_path / 'figure'}: no installed font has \U0001fac8: boxes are drawn. " + (
        "Install one, such as Noto Sans CJK"
    )


def test_installed_fonts_with_other_scripts_come_after_the_own_one():
    first, *others = figures.STYLE["font.family"]
    assert first == "DejaVu Sans"
    assert set(others) == figures.FALLBACKS & set(matplotlib.font_manager.get_font_names())


def test_a_figure_drawn_in_another_process_has_the_same_bytes(tmp_path):
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", SAVE, str(tmp_path / seed)], env=environment, check=True)
    for suffix in (".pdf", ".png"):
        assert (tmp_path / f"1{suffix}").read_bytes() == (tmp_path / f"2{suffix}").read_bytes()


def test_a_users_own_matplotlib_settings_change_nothing(tmp_path):
    plain = saved(figures.images_per_class(counts(3)), tmp_path / "plain")
    with matplotlib.rc_context({"font.size": 20, "savefig.dpi": 50, "axes.facecolor": "red"}):
        assert saved(figures.images_per_class(counts(3)), tmp_path / "own") == plain


@pytest.mark.parametrize("n", [1, 12, 80])
def test_label_counts_of_any_number_of_classes_are_drawn(tmp_path, n):
    figure = figures.images_per_class(counts(n))
    saved(figure, tmp_path)
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == [
        f"class number {i}" for i in reversed(range(n))
    ]


def test_eighty_class_names_do_not_overlap(tmp_path):
    figure = figures.images_per_class(counts(80))
    figure.set_dpi(600)  # extents are whole pixels
    saved(figure, tmp_path)
    boxes = [text.get_window_extent() for text in figure.axes[0].get_xticklabels()]
    assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))


def test_a_split_without_any_image_of_a_label_is_drawn(tmp_path):
    saved(figures.labels_per_image(pd.DataFrame({"train": [0, 7], "val": [0, 0]})), tmp_path)


def test_three_splits_have_a_bar_each():
    figure = figures.labels_per_image(pd.DataFrame({"train": [5, 9], "val": [1, 2], "test": [1, 3]}))
    assert len(figure.axes[0].containers) == 3


def test_a_number_of_labels_that_no_image_has_keeps_its_place():
    figure = figures.labels_per_image(pd.DataFrame({"train": [5, 9, 1]}, index=[1, 2, 5]))
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == list("012345")


def test_more_splits_than_colours_are_an_error():
    with pytest.raises(ValueError, match="at most 3 splits, found a, b, c, d"):
        figures.labels_per_image(pd.DataFrame({split: [1] for split in "abcd"}))


@pytest.mark.parametrize("n", [1, 5])
def test_example_images_stand_above_their_predictions(tmp_path, n):
    table = pd.DataFrame({"rank": [1, 4], "label": ["tie", "cat"], "score": [0.75, 0.125], "true": [False, True]})
    images = [np.full((20 + 10 * i, 30, 3), 40 * i, np.uint8) for i in range(n)]
    figure = figures.examples(images, [table] * n)
    saved(figure, tmp_path)
    texts = {text.get_text(): text.get_fontweight() for text in figure.axes[1].texts}
    assert texts == {"1": "normal", "tie": "normal", "0.75": "normal", "4": "bold", "cat": "bold", "0.12": "bold"}
