"""A key that a configuration file gives twice is refused: YAML would silently take the last."""

import pytest

from multilabel import config

from .test_config import ROOT


def refusal(tmp_path, text):
    path = tmp_path / "birds.yaml"
    path.write_text(text)
    with pytest.raises(config.ConfigError) as error:
        config.refuse_repeated_keys(path)
    return str(error.value).replace(str(path), "birds.yaml")


def test_a_second_section_is_named_with_file_and_lines(tmp_path):
    message = refusal(tmp_path, "grid:\n  epochs: 3\ngpu: false\n\ngrid:\n  seeds: 2\n")
    assert message.splitlines() == [
        "birds.yaml gives keys twice, of which only the last would count; make one of both:",
        "  grid: in lines 1 and 5",
    ]


def test_keys_at_any_depth_are_found(tmp_path):
    message = refusal(tmp_path, "dataset:\n  test:\n    fraction: 0.1\n    fraction: 0.2\nlists: [{a: 1, a: 2}]\n")
    assert "dataset.test.fraction: in lines 3 and 4" in message
    assert "lists.a: in lines 5 and 5" in message


def test_json_is_checked_too(tmp_path):
    assert "gpu: in lines 1 and 2" in refusal(tmp_path, '{"gpu": true,\n "gpu": false}')


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.name)
def test_our_own_files_give_each_key_once(path):
    config.refuse_repeated_keys(path)
