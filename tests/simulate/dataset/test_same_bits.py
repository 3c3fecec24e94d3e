"""Other vector units round otherwise: what was computed once must be spread to fields that are the same."""

import os
import pickle
import subprocess
import sys

import numpy as np

from antisite.simulate.dataset.cases import Case
from antisite.simulate.dataset.stream import PatchStream
from antisite.simulate.point_defects.planting import PointDefects
from antisite.simulate.recording.recording import Contamination, Readout, Recording, Scan
from antisite.simulate.scattering.optics import Optics

CHECKSUMS = """
import hashlib, pickle, sys
with open(sys.argv[1], "rb") as file:
    stream = pickle.load(file)
for batch in stream.patches(0, 16):
    for part in (batch.patches, batch.kind, batch.species, batch.offset, batch.conditions):
        print(hashlib.sha256(part).hexdigest())
"""


def test_fields_are_the_same_without_the_vector_units_of_this_processor(tmp_path):
    recording = Recording(
        dose=1e5,
        scan=Scan(drift=3.0, jitter=0.4, flyback=2.0),
        contamination=Contamination(strength=0.3),
        readout=Readout(gain=3.7, offset=20.0, read_noise=2.0),
    )
    case = Case(
        specimen="graphene",
        defects=PointDefects(vacancies={"C": 0.1}, substitutions={"Si": 0.1}),
        optics=Optics(beam_energy=60e3, static=True),
        recording=recording,
        doses=(1e4, 1e7),
    )
    stream = PatchStream(cases=(case,), size=16, shape=(150, 160), seed=3)
    (tmp_path / "stream").write_bytes(pickle.dumps(stream))
    fewer = os.environ | {
        "NPY_DISABLE_CPU_FEATURES": " ".join(
            np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
        ),
        "OPENBLAS_CORETYPE": "Prescott",
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
    }
    made = [
        subprocess.run(
            [sys.executable, "-c", CHECKSUMS, tmp_path / "stream"], env=env, check=True, capture_output=True
        ).stdout.split()
        for env in (os.environ, fewer)
    ]
    assert len(set(made[0])) > 40
    assert made[0] == made[1]
