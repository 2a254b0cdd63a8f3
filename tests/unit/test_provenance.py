import json
import sys

import pytest

from multilabel import files, provenance

SCRIPT = '''"""Write the labels."""

from multilabel import labels


def write():
    """Call the library."""
    from multilabel.datasets import coco

    return coco.read(labels.VALUE)
'''
MODULES = {
    "__init__.py": "",
    "labels.py": "from multilabel.files import SUFFIX\n\nVALUE = SUFFIX\n",
    "files.py": 'SUFFIX = ".h5"\n',
    "figures.py": "WIDTH = 3\n",
    "datasets/__init__.py": "",
    "datasets/coco.py": "def read(value):\n    return value\n",
}


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library of a few modules, of which the script needs all but figures.py."""
    folder = tmp_path / "multilabel"
    (folder / "datasets").mkdir(parents=True)
    for name, content in MODULES.items():
        (folder / name).write_text(content)
    (tmp_path / "script.py").write_text(SCRIPT)
    monkeypatch.setattr(provenance, "_LIBRARY", folder)
    return folder


def version(library):
    """The version as another process finds it, which has not read the files before."""
    provenance._code.cache_clear()
    return provenance.code_version(library.parent / "script.py")


@pytest.fixture(autouse=True)
def _forget_the_small_library():
    yield
    provenance._code.cache_clear()


# The version of code


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.py", "# why\nfrom multilabel.files import SUFFIX  # a comment\n\n\n\nVALUE = (SUFFIX)\n"),
        ("labels.py", '"""What labels are."""\n\n' + MODULES["labels.py"]),
        ("datasets/coco.py", 'def read(value):\n    """Read."""\n    return value\n'),
        ("figures.py", "WIDTH = 4\n"),
    ],
    ids=["comments and layout", "docstring of a module", "docstring of a function", "code that the script never uses"],
)
def test_what_changes_no_result_leaves_the_version(library, name, content):
    before = version(library)
    (library / name).write_text(content)
    assert version(library) == before


def test_a_memory_leaves_the_version_and_is_made_anew_where_it_is_damaged(library, tmp_path, monkeypatch):
    before = version(library)
    monkeypatch.setenv("MULTILABEL_CHECKSUMS", str(tmp_path / "memory/checksums.json"))
    assert version(library) == before
    remembered = sorted((tmp_path / "memory/code").iterdir())
    assert len(remembered) == 5  # figures.py is not needed
    with monkeypatch.context() as patch:
        patch.setattr(provenance, "_parsed", None)
        assert version(library) == before
    for path in remembered:
        path.write_text('{"imports": []')
    assert version(library) == before
    assert all(files.read_json(path)["digest"] for path in remembered)


def test_an_edit_counts_in_spite_of_the_memory(library, tmp_path, monkeypatch):
    monkeypatch.setenv("MULTILABEL_CHECKSUMS", str(tmp_path / "memory/checksums.json"))
    before = version(library)
    (library / "files.py").write_text('SUFFIX = ".h6"\n')
    assert version(library) != before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.py", MODULES["labels.py"] + "VALUE += '5'\n"),
        ("files.py", 'SUFFIX = ".hdf5"\n'),
        ("datasets/coco.py", "def read(value):\n    return 2 * value\n"),
        ("../script.py", SCRIPT.replace("labels.VALUE", "labels.VALUE + '!'")),
    ],
    ids=["imported module", "module that it imports", "module imported inside a function", "the script"],
)
def test_other_code_is_another_version(library, name, content):
    before = version(library)
    (library / name).write_text(content)
    assert version(library) != before


def test_a_module_imported_under_another_name_counts(library):
    (library.parent / "script.py").write_text("import multilabel.figures as drawing\n\ndrawing.WIDTH\n")
    before = version(library)
    (library / "figures.py").write_text("WIDTH = 4\n")
    assert version(library) != before


def test_a_data_file_that_a_module_names_counts(library):
    (library / "labels.py").write_text(MODULES["labels.py"] + 'NUMBERS = "published.yaml"\n')
    (library / "published.yaml").write_text("tau: 0.378\n")
    before = version(library)
    (library / "published.yaml").write_text("tau: 0.387\n")
    assert version(library) != before


def test_the_version_does_not_depend_on_where_the_project_lies(library, tmp_path, monkeypatch):
    before = version(library)
    moved = tmp_path / "elsewhere" / "multilabel"
    moved.parent.mkdir()
    library.rename(moved)
    (tmp_path / "script.py").rename(tmp_path / "elsewhere" / "script.py")
    monkeypatch.setattr(provenance, "_LIBRARY", moved)
    assert version(moved) == before


# Records


def test_the_key_stands_for_the_content_whatever_the_order_of_its_parts():
    assert provenance.key({"a": 1, "b": [2, {"c": None}]}) == provenance.key({"b": [2, {"c": None}], "a": 1})
    assert len(provenance.key({})) == 16


@pytest.mark.parametrize("other", [{"a": 2}, {"a": "1"}, {"a": 1, "b": None}, {}])
def test_other_content_has_another_key(other):
    assert provenance.key(other) != provenance.key({"a": 1})


def test_versions_are_those_that_run():
    import numpy

    found = provenance.versions()
    assert found["numpy"] == numpy.__version__
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))


def test_digests_are_by_path(tmp_path):
    (tmp_path / "a").write_text("abc")
    assert provenance.digests([tmp_path / "a"]) == {str(tmp_path / "a"): files.sha256(tmp_path / "a")}


CONFIGURATION = {"grid": {"epochs": 500, "betas": (0.9, 0.99)}, "base": {"network": "VGG16"}}


def record(path, configuration):
    path.write_text(json.dumps({"configuration": configuration, "results": {}}))
    return path


def test_runs_of_the_current_configuration_are_accepted(tmp_path):
    paths = [record(tmp_path / f"{name}.json", CONFIGURATION) for name in "ab"]
    provenance.require(paths, CONFIGURATION)


def test_every_run_of_another_configuration_is_named_with_what_differs(tmp_path):
    current = record(tmp_path / "current.json", CONFIGURATION)
    epochs = record(tmp_path / "epochs.json", CONFIGURATION | {"grid": {"epochs": 3, "betas": [0.9, 0.99]}})
    without = record(tmp_path / "without.json", {"grid": CONFIGURATION["grid"]})
    with pytest.raises(ValueError, match=r"^2 run\(s\) come from another configuration .*remove them") as caught:
        provenance.require([current, epochs, without], CONFIGURATION)
    assert str(caught.value).splitlines()[1:] == [
        f"  {epochs}: grid.epochs: expected 500, found 3",
        f"  {without}: base: expected {{'network': 'VGG16'}}, found None",
    ]
