import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
from torch_files import Parameter, Tensor, pickled, save, save_older, save_older_pickle, save_pickle

from multilabel.networks import checkpoints

BOTH = pytest.mark.parametrize("write", [save, save_older], ids=["zip", "before 1.6"])
BOTH_PICKLES = pytest.mark.parametrize("write", [save_pickle, save_older_pickle], ids=["zip", "before 1.6"])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoint.pkl"


@pytest.fixture
def numbers():
    return np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32)


def read_one(write, path, tensor):
    write(path, {"x": tensor})
    return checkpoints.read(path)["x"].numpy()


# Tensors


@BOTH
@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u1", "b1"])
def test_tensors_of_every_type_come_back(write, path, dtype):
    wanted = np.arange(-6, 6).reshape(3, 4).astype(dtype)
    found = read_one(write, path, Tensor(wanted))
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


@BOTH
def test_bfloat16_becomes_float32(write, path, numbers):
    upper = (numbers.view(np.uint32) >> 16).astype(np.uint16)
    found = read_one(write, path, Tensor(upper, kind="BFloat16Storage"))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, numbers, rtol=2**-7)


@BOTH
def test_transposed_tensors_and_parts_of_a_storage_come_back(write, path, numbers):
    storage = numbers.reshape(-1)
    write(path, {"turned": Tensor(numbers.T, storage), "part": Tensor(numbers[1, 1:, ::2], storage, offset=16)})
    found = checkpoints.read(path)
    np.testing.assert_array_equal(found["turned"].numpy(), numbers.T)
    np.testing.assert_array_equal(found["part"].numpy(), numbers[1, 1:, ::2])


@BOTH
def test_scalars_empty_tensors_and_repeated_ones_come_back(write, path):
    one = np.array([7], np.float32)
    write(
        path,
        {
            "scalar": Tensor(np.array(5, np.int64)),
            "empty": Tensor(np.zeros((0, 3), np.float32)),
            "repeated": Tensor(np.broadcast_to(one, (2, 3)), one),
        },
    )
    found = checkpoints.read(path)
    assert found["scalar"].numpy() == 5
    assert found["empty"].numpy().shape == (0, 3)
    np.testing.assert_array_equal(found["repeated"].numpy(), np.full((2, 3), 7))


@BOTH
def test_what_training_scripts_save_beside_the_tensors_comes_back(write, path, numbers):
    rest = {
        "epoch": 28,
        "arch": "Q2L",
        "best_mAP": np.float64(84.9),
        "optimizer": {"betas": (0.9, 0.999), "none": None},
    }
    write(path, {**rest, "state_dict": OrderedDict(x=Parameter(numbers))})
    found = checkpoints.read(path)
    assert {name: found[name] for name in rest} == rest
    np.testing.assert_array_equal(found["state_dict"]["x"].numpy(), numbers)


def test_what_is_attached_to_an_ordered_dictionary_is_left_out(path, numbers):
    state = OrderedDict(x=Tensor(numbers))
    state._metadata = OrderedDict(version=1)
    save(path, state)
    assert list(checkpoints.read(path)) == ["x"]


def test_a_file_of_numbers_in_big_endian_order_comes_back(path, numbers):
    content, storages = pickled({"x": Tensor(numbers)})
    swapped = {key: each.astype(">f4") for key, each in storages.items()}
    save_pickle(path, content, swapped, extra={"archive/byteorder": "big"})
    np.testing.assert_array_equal(checkpoints.read(path)["x"].numpy(), numbers)


def test_tensors_stay_in_the_file_until_they_are_asked_for(path, numbers):
    save(path, {"x": Tensor(numbers)})
    found = checkpoints.read(path)["x"]
    assert (found.shape, found.dtype) == ((2, 3, 4), np.float32)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        found.numpy()


@pytest.mark.parametrize("name", ["q2l_tiny.pkl", "q2l_tiny_projected.pkl", "q2l_tiny_projected_legacy.pkl"])
def test_files_that_pytorch_wrote_are_read(shared_data, name):
    found = checkpoints.read(shared_data / "parity" / name)
    assert list(found) == ["epoch", "arch", "state_dict", "best_mAP", "optimizer"]
    assert type(found["best_mAP"]) is np.float64


def test_both_formats_of_one_checkpoint_hold_the_same(shared_data):
    of_zip, older = (
        checkpoints.state_dict(shared_data / "parity" / f"q2l_tiny_projected{end}.pkl") for end in ("", "_legacy")
    )
    assert list(of_zip.tensors) == list(older.tensors)
    for key, tensor in of_zip.tensors.items():
        np.testing.assert_array_equal(tensor.numpy(), older.tensors[key].numpy())


# The state of a network


@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_prefix_of_parallel_training_is_taken_off(path, numbers, prefix):
    save(path, {"state_dict": {f"{prefix}fc.W": Tensor(numbers)}})
    found = checkpoints.state_dict(path)
    assert (found.place, list(found.tensors)) == ("state_dict", ["fc.W"])


def test_the_state_may_be_the_object_itself(path, numbers):
    save(path, OrderedDict({"fc.weight": Tensor(numbers)}))
    found = checkpoints.state_dict(path)
    assert (found.place, list(found.tensors)) == ("the object itself", ["fc.weight"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "expected a dictionary of tensors, found a value of type list"),
        ({"epoch": 3}, "expected tensors by name in the object itself, found a value of type int under 'epoch'"),
        ({"state_dict": {}}, "expected tensors in state_dict, found a dictionary with nothing"),
        ({"state_dict": {5: Tensor(np.zeros(1))}}, "in state_dict, found a single tensor under 5"),
    ],
)
def test_a_file_without_a_state_is_named(path, content, message):
    save(path, content)
    with pytest.raises(ValueError, match=f"^{path}: .*{message}"):
        checkpoints.state_dict(path)


def test_a_key_with_and_without_the_prefix_is_an_error(path, numbers):
    save(path, {"x": Tensor(numbers), "module.x": Tensor(numbers)})
    with pytest.raises(ValueError, match="holds x twice"):
        checkpoints.state_dict(path)


# Hostile files


class Runs:
    """Pickles as a call of `os.system`."""

    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return os.system, (f"touch {self.witness}",)


def refused(path, message):
    with pytest.raises(ValueError, match=message) as caught:
        checkpoints.read(path)
    assert str(caught.value).startswith(f"{path}: ")


@BOTH
@pytest.mark.parametrize("place", ["value", "state_dict", "list"])
def test_a_file_that_would_run_a_command_is_refused_by_name(write, path, tmp_path, place):
    witness = tmp_path / "ran"
    hostile = Runs(witness)
    value = {"value": hostile, "state_dict": {"x": hostile}, "list": [Tensor(np.zeros(1)), hostile]}
    write(path, {place: value[place]})
    refused(path, "names posix.system, .* refused, nothing was run")
    assert not witness.exists()


GLOBALS = {
    "builtins.eval": b"cbuiltins\neval\n(X\x04\x00\x00\x001+1.tR.",
    "builtins.getattr": b"cbuiltins\ngetattr\n(ctorch._utils\n_rebuild_tensor_v2\nX\x0b\x00\x00\x00__globals__tR.",
    "os.system by STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
    "os.system by INST": b"(S'true'\nios\nsystem\n.",
    "os.system by OBJ": b"(cos\nsystem\nS'true'\no.",
    "a dotted name": b"\x80\x04\x8c\x0ccollections\x94\x8c\x14OrderedDict.__init__\x93.",
    "a name within torch": b"ctorch\nload\n(S'x'\ntR.",
    "torch's nested loading": b"ctorch.storage\n_load_from_bytes\n(S'x'\ntR.",
    "a module": b"cmultilabel.networks\npickles\n.",
    "this reader's own function": b"cmultilabel.networks.checkpoints\nread\n(S'x'\ntR.",
    "argparse": b"cargparse\nNamespace\n)\x81}b.",
    "an extension": b"\x82\x01.",
    "numpy's loading": b"cnumpy\nload\n(S'x'\ntR.",
    "an array": b"cnumpy.core.multiarray\n_reconstruct\n(S'x'\ntR.",
}


@BOTH_PICKLES
@pytest.mark.parametrize("name", GLOBALS)
def test_anything_but_tensors_and_numbers_is_refused_before_it_runs(write, path, name):
    write(path, GLOBALS[name].replace(b"\x8c\x0ccollections\x94", b"\x8c\x0bcollections"))
    refused(path, "refused")


TRICKS = {
    "attributes of an allowed function": b"ctorch._utils\n_rebuild_tensor_v2\n}S'__defaults__'\n)sb.",
    "an instance without a call": b"ccollections\nOrderedDict\n)\x81.",
    "a call of text": b"S'os.system'\n(S'true'\ntR.",
    "a call of a storage's type": b"ctorch\nFloatStorage\n(I4\ntR.",
    "a call of what a call gave": b"ccollections\nOrderedDict\n)R)R.",
    "a scalar of objects": b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'O8'\ntRC\x08abcdefghtR.",
    "the type of an object": b"cnumpy\ndtype\n(S'O'\ntR.",
    "a structured type": b"cnumpy\ndtype\n((lS'i8'\natR.",
    "bytes by another codec": b"c_codecs\nencode\n(S'x'\nS'rot13'\ntR.",
    "a key that takes for ever": b"}" + b"(I1\nt" + b"2\x86" * 60 + b"I1\ns.",
}


@BOTH_PICKLES
@pytest.mark.parametrize("name", TRICKS)
def test_allowed_names_cannot_be_turned_to_other_ends(write, path, name):
    write(path, TRICKS[name])
    refused(path, "refused")


def storage_id(*parts):
    return b"(" + b"".join(parts) + b"tQ."


STORAGE, KIND, KEY, DEVICE, COUNT = b"S'storage'\n", b"ctorch\nFloatStorage\n", b"S'0'\n", b"S'cpu'\n", b"I4\n"


@pytest.mark.parametrize(
    "content",
    [
        storage_id(STORAGE, KIND, KEY, DEVICE),
        storage_id(STORAGE, KIND, KEY, DEVICE, COUNT, b"(S'1'\nI0\nI4\nt"),
        storage_id(b"S'module'\n", KIND, KEY, DEVICE, COUNT),
        storage_id(STORAGE, b"ccollections\nOrderedDict\n", KEY, DEVICE, COUNT),
        storage_id(STORAGE, KIND, b"S'../../etc/passwd'\n", DEVICE, COUNT),
        storage_id(STORAGE, KIND, KEY, DEVICE, b"I-4\n"),
        storage_id(STORAGE, KIND, KEY, DEVICE, b"S'4'\n"),
        b"S'storage'\nQ.",
        b"Pstorage\n.",
    ],
)
@BOTH_PICKLES
def test_persistent_ids_of_another_shape_are_refused(write, path, content):
    write(path, content)
    refused(path, "refused")


def test_a_persistent_id_where_the_older_format_has_none_is_refused(path):
    path.write_bytes(pickle.dumps(checkpoints.MAGIC, 2) + b"S'storage'\nQ.")
    refused(path, "a persistent id where none belongs")


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(0, (5,), (1,)), (1, (4,), (1,)), (0, (2, 2), (3, 1)), (0, (2, 2), (1,)), (0, (2,), (-1,)), (-1, (2,), (1,))],
)
@BOTH
def test_a_tensor_that_leaves_its_storage_is_an_error(write, path, offset, shape, strides):
    tensor = Tensor(np.zeros(4, np.float32))
    tensor.offset, tensor.shape, tensor.strides = offset, shape, strides
    write(path, {"x": tensor})
    refused(path, "damaged: a tensor of")


def test_a_tensor_that_repeats_a_number_without_end_is_an_error(path):
    one = np.zeros(1, np.float32)
    save(path, {"x": Tensor(np.broadcast_to(one, (2**30, 2**30)), one)})
    refused(path, "damaged: a tensor of")


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "archive/../../evil", "archive\\..\\evil"])
def test_members_whose_names_lead_elsewhere_are_refused(path, name):
    save_pickle(path, *pickled({}), extra={name: "x"})
    refused(path, "whose name leads elsewhere; refused")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(path):
    save_pickle(path, *pickled({}), extra={"archive/data.pkl": GLOBALS["builtins.eval"]})
    refused(path, r"holds the member 'archive/data.pkl' twice; refused")


def test_compressed_members_which_could_grow_without_end_are_refused(path):
    save_pickle(path, *pickled({"x": Tensor(np.zeros(10**6))}), compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 10**5
    refused(path, "compressed or encrypted, as torch.save never does; refused")


# Damaged files


@BOTH
def test_a_file_cut_short_anywhere_is_named(write, path, numbers):
    write(
        path, {"epoch": 3, "state_dict": {"x": Tensor(numbers), "y": Tensor(numbers[0].copy())}, "best": np.float64(1)}
    )
    whole = path.read_bytes()
    for end in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:end])
        refused(path, "cut short|expected a file written by torch.save")


def test_a_cut_checkpoint_of_pytorch_is_named(shared_data, path):
    whole = (shared_data / "parity" / "q2l_tiny_projected_legacy.pkl").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, "cut short within its tensors: expected at least .* bytes, found")


def test_a_flipped_bit_within_a_tensor_is_found(path, numbers):
    save(path, {"x": Tensor(numbers)})
    content = path.read_bytes()
    place = content.index(numbers.tobytes()[:8])
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    with pytest.raises(ValueError, match=f"^{path}: damaged: the checksum of a tensor is wrong"):
        checkpoints.read(path)["x"].numpy()


def test_a_missing_or_short_storage_is_named(path, numbers):
    content, storages = pickled({"x": Tensor(numbers)})
    save_pickle(path, content)
    refused(path, "it has no member archive/data/0")
    save_pickle(path, content, {"0": storages["0"][1:]})
    refused(path, "damaged: expected 96 bytes in archive/data/0, found 92")


@pytest.mark.parametrize("content", [b"<html>404 Not Found</html>", b"\x89HDF\r\n\x1a\n", b"\x80\x04N.", b""])
def test_a_file_of_another_kind_says_what_it_begins_with(path, content):
    path.write_bytes(content)
    refused(path, "expected a file written by torch.save; it begins with b'")


def test_an_archive_of_another_kind_is_named(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "x")
    refused(path, "expected one member NAME/data.pkl, found 0")


def test_a_missing_file_is_named(path):
    with pytest.raises(FileNotFoundError, match=f"^{path}: no such checkpoint"):
        checkpoints.read(path)


@pytest.mark.parametrize(
    "content", [b"0.", b"(.", b"t.", b"h\x05.", b"]K\x01s.", b"}K\x01a.", b"(K\x01d.", b"K\x01\x86."]
)
def test_instructions_that_do_not_fit_together_are_damage(path, content):
    save_pickle(path, content)
    refused(path, "damaged: its instructions do not fit together")
