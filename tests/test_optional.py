import sys

import pytest

from antisite._optional import require
from antisite.errors import AntisiteError, MissingExtraError


def test_installed_package_is_returned():
    assert require("json.decoder", extra="dataset") is sys.modules["json.decoder"]


@pytest.mark.parametrize(("module", "extra"), [("abtem", "multislice"), ("zarr.storage", "dataset")])
def test_missing_package_names_the_extra_that_brings_it(module, extra, monkeypatch):
    name = module.split(".")[0]
    for missing in {name, module}:
        monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError) as caught:
        require(module, extra=extra)
    assert str(caught.value) == f"antisite needs {name} here: pip install 'antisite[{extra}]'"
    assert isinstance(caught.value, AntisiteError)
