"""Everything antisite refuses, and why.

AntisiteError
├── InputError            what was given cannot be used          (exit 1)
│   └── ChoiceError       several things fit and none was chosen (exit 2)
├── NoLatticeError        there is no crystal to compare with    (exit 3)
├── OutputError           the result cannot be written           (exit 1)
└── MissingExtraError     an optional package is not installed   (exit 1)
"""


class AntisiteError(Exception):
    """One sentence: what must hold, what was given, and the cure."""


class InputError(AntisiteError, ValueError):
    """The file, image or option cannot be used as it is."""


class ChoiceError(InputError):
    """Several signals or frames fit, and none was chosen."""


class NoLatticeError(AntisiteError):
    """The image shows no lattice, so nothing can depart from it."""


class OutputError(AntisiteError, OSError):
    """The result cannot be written where it was asked for."""


class MissingExtraError(AntisiteError, ImportError):
    """A feature needs an optional package that is not installed."""
