"""Pickles as data: values are put together, names are looked up in a list, and nothing that a pickle names is run.

Python's own unpickler imports and calls what a file names. This reader has no way to do either: it knows the
instructions of which data consists, and a name stands for one of the functions that the caller allows, or is an error.
"""

import pickletools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple

Constructors = Mapping[str, Callable[..., Any] | None]
"""What a pickle may name, `module.name`: the function that stands for it; None: a name that is never called."""


class Name(NamedTuple):
    """A name that a pickle holds, as `torch.FloatStorage`."""

    name: str


class Buildable:
    """A value whose state a pickle may set; `set_state` decides what that means."""

    def set_state(self, state: Any) -> None:
        """Take the state, or raise ValueError."""
        raise NotImplementedError


class Ordered(dict[Any, Any], Buildable):
    """`collections.OrderedDict`; what PyTorch attaches to it (`_metadata`) is left out."""

    def set_state(self, state: Any) -> None:
        """Attributes of a dictionary say nothing about its entries."""


def read(file: IO[bytes], constructors: Constructors, persistent: Callable[[Any], Any]) -> Any:
    """The value of the pickle at the file's position; afterwards the position is behind it.

    Args:
        file: open for reading.
        constructors: what the pickle may name.
        persistent: persistent id → value, for what lies outside of the pickle.

    Raises:
        ValueError: it names or does something else, is cut short or damaged; the message says which. Nothing was run.
    """
    machine = _Machine(constructors, persistent)
    try:
        for instruction, argument in _instructions(file):
            if instruction == "STOP":
                return machine.pop()
            if instruction not in _STEPS:
                raise ValueError(f"holds the instruction {instruction}, which is not of data; refused, nothing was run")
            _STEPS[instruction](machine, argument)
    except (IndexError, KeyError, TypeError) as error:
        raise ValueError(f"damaged: its instructions do not fit together ({type(error).__name__}: {error})") from error
    raise ValueError("cut short: it does not end")


def _instructions(file: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """The names of a pickle's instructions and their arguments."""
    try:
        for opcode, argument, _ in pickletools.genops(file):
            yield opcode.name, argument
    except ValueError as error:
        raise ValueError(f"cut short or damaged: {error}") from error


class _Mark:
    """Where the items of a list, tuple or dictionary begin on the stack."""


class _Machine:
    """The stack and the memory of the instructions."""

    def __init__(self, constructors: Constructors, persistent: Callable[[Any], Any]) -> None:
        self.constructors = constructors
        self.persistent = persistent
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        value = self.stack.pop()
        if isinstance(value, _Mark):
            raise IndexError("a mark where a value belongs")
        return value

    def items(self) -> list[Any]:
        """The values above the last mark, taken off together with it."""
        for place in range(len(self.stack) - 1, -1, -1):
            if isinstance(self.stack[place], _Mark):
                values = self.stack[place + 1 :]
                del self.stack[place:]
                return values
        raise IndexError("no mark")

    def tuple_of(self, count: int) -> None:
        self.push(tuple(reversed([self.pop() for _ in range(count)])))

    def name(self, name: str) -> None:
        if name not in self.constructors:
            raise ValueError(f"names {name}, which is neither a tensor nor a number; refused, nothing was run")
        self.push(Name(name))

    def global_(self, argument: str) -> None:
        self.name(argument.replace(" ", "."))

    def stack_global(self, _: Any) -> None:
        name, module = self.pop(), self.pop()
        if not (isinstance(module, str) and isinstance(name, str)):
            raise TypeError("a name that is not text")
        self.name(f"{module}.{name}")

    def call(self, _: Any) -> None:
        arguments, function = self.pop(), self.pop()
        if not (isinstance(function, Name) and isinstance(arguments, tuple)):
            raise ValueError(f"calls a value of type {type(function).__name__}; refused, nothing was run")
        constructor = self.constructors[function.name]
        if constructor is None:
            raise ValueError(f"calls {function.name}; refused, nothing was run")
        self.push(constructor(*arguments))

    def build(self, _: Any) -> None:
        state, value = self.pop(), self.stack[-1]
        if not isinstance(value, Buildable):
            raise ValueError(f"sets attributes of a value of type {type(value).__name__}; refused, nothing was run")
        value.set_state(state)

    def persistent_id(self, _: Any) -> None:
        self.push(self.persistent(self.pop()))

    def append(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise TypeError("appends to what is no list")
        target.extend(values)

    def set_items(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise TypeError("entries of what is no dictionary")
        target.update(_dictionary(values))

    def add_items(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not set:
            raise TypeError("adds to what is no set")
        target.update(_keys(values))

    def put(self, place: int) -> None:
        self.memory[place] = self.stack[-1]

    def get(self, place: int) -> None:
        self.push(self.memory[place])


def _dictionary(values: Sequence[Any]) -> dict[Any, Any]:
    if len(values) % 2:
        raise TypeError("a key without a value")
    return dict(zip(_keys(values[::2]), values[1::2], strict=True))


def _keys(values: Sequence[Any]) -> Sequence[Any]:
    """Values that are hashed. Nested ones could be made to take for ever."""
    for value in values:
        if not isinstance(value, (str, bytes, int, float, type(None))):
            raise ValueError(f"a key of type {type(value).__name__}; refused")
    return values


_Step = Callable[[_Machine, Any], Any]


def _constant(value: Any) -> _Step:
    return lambda machine, argument: machine.push(value)


def _argument(machine: _Machine, argument: Any) -> None:
    machine.push(argument)


_STEPS: dict[str, _Step] = {
    **dict.fromkeys(["PROTO", "FRAME"], lambda machine, argument: None),
    **dict.fromkeys(["INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"], _argument),
    **dict.fromkeys(["UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"], _argument),
    **dict.fromkeys(["STRING", "BINSTRING", "SHORT_BINSTRING"], _argument),
    **dict.fromkeys(["BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"], _argument),
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    "MARK": lambda machine, argument: machine.push(_Mark()),
    "POP": lambda machine, argument: machine.stack.pop(),
    "POP_MARK": lambda machine, argument: machine.items(),
    "DUP": lambda machine, argument: machine.push(machine.stack[-1]),
    "EMPTY_TUPLE": _constant(()),
    "TUPLE": lambda machine, argument: machine.push(tuple(machine.items())),
    "TUPLE1": lambda machine, argument: machine.tuple_of(1),
    "TUPLE2": lambda machine, argument: machine.tuple_of(2),
    "TUPLE3": lambda machine, argument: machine.tuple_of(3),
    "EMPTY_LIST": lambda machine, argument: machine.push([]),
    "LIST": lambda machine, argument: machine.push(machine.items()),
    "APPEND": lambda machine, argument: machine.append([machine.pop()]),
    "APPENDS": lambda machine, argument: machine.append(machine.items()),
    "EMPTY_DICT": lambda machine, argument: machine.push({}),
    "DICT": lambda machine, argument: machine.push(_dictionary(machine.items())),
    "SETITEM": lambda machine, argument: machine.set_items([machine.pop(), machine.pop()][::-1]),
    "SETITEMS": lambda machine, argument: machine.set_items(machine.items()),
    "EMPTY_SET": lambda machine, argument: machine.push(set()),
    "ADDITEMS": lambda machine, argument: machine.add_items(machine.items()),
    "FROZENSET": lambda machine, argument: machine.push(frozenset(_keys(machine.items()))),
    **dict.fromkeys(["PUT", "BINPUT", "LONG_BINPUT"], _Machine.put),
    "MEMOIZE": lambda machine, argument: machine.put(len(machine.memory)),
    **dict.fromkeys(["GET", "BINGET", "LONG_BINGET"], _Machine.get),
    "GLOBAL": _Machine.global_,
    "STACK_GLOBAL": _Machine.stack_global,
    "REDUCE": _Machine.call,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent_id,
}
