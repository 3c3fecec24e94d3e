import numpy as np
import pytest

from antisite.errors import InputError
from antisite.simulate.crystals.crystal import Column, Crystal
from antisite.simulate.sketch.columns import draw_columns
from antisite.simulate.sketch.image import sketch_image

SHAPE = (64, 80)
SPARSE = Crystal(
    name="sparse",
    a=(0.0, 8.0),
    b=(8.0, 0.0),
    columns=(Column(fraction=(0.0, 0.0), brightness=1.0, species="Au"),),
)


def one_column(y, x, **options):
    return draw_columns(np.array([[y, x]]), np.ones(1), shape=SHAPE, **({"sigma": 2.0} | options))


def centroid(pixels):
    y, x = np.indices(pixels.shape)
    return np.array([(pixels * y).sum(), (pixels * x).sum()]) / pixels.sum()


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.25, 0.5, 0.77])
def test_intensity_does_not_change_when_a_column_moves_by_part_of_a_pixel(shift):
    total = one_column(30 + shift, 40 - shift).sum()
    assert total == pytest.approx(2 * np.pi * 2.0**2, rel=1e-5)


@pytest.mark.parametrize("place", [(30.0, 40.0), (30.3, 40.6), (28.5, 41.5)])
def test_column_is_rendered_where_it_is(place):
    np.testing.assert_allclose(centroid(one_column(*place)), place, atol=1e-4)


def test_column_has_the_given_height_and_width():
    pixels = one_column(30, 40, sigma=2.0)
    assert pixels[30, 40] == pytest.approx(1.0)
    assert pixels[30, 42] == pytest.approx(np.exp(-0.5))


def test_columns_add_up():
    places, peaks = np.array([[20.2, 20.7], [23.1, 22.9]]), np.array([1.0, 0.6])
    apart = one_column(*places[0]) + 0.6 * one_column(*places[1])
    np.testing.assert_allclose(draw_columns(places, peaks, shape=SHAPE, sigma=2.0), apart, atol=1e-12)


def test_half_of_a_column_on_the_frame_is_seen():
    inside, on_frame = one_column(32, 40), one_column(-0.5, 40)
    assert on_frame.sum() == pytest.approx(inside.sum() / 2, rel=1e-4)
    assert one_column(-40, 40).sum() == 0


def test_no_columns_make_a_dark_image():
    assert not draw_columns(np.zeros((0, 2)), np.zeros(0), shape=SHAPE, sigma=2.0).any()


def test_row_sampled_further_right_shows_the_column_further_left():
    shift = np.zeros(SHAPE[0])
    shift[30] = 1.5
    row = one_column(30, 40, row_shift=shift)[30]
    assert (row * np.arange(SHAPE[1])).sum() / row.sum() == pytest.approx(38.5, abs=1e-4)


def test_chunks_leave_no_seam(monkeypatch):
    places = np.random.default_rng(0).uniform(0, 64, (50, 2))
    whole = draw_columns(places, np.ones(50), shape=SHAPE, sigma=2.0)
    monkeypatch.setattr("antisite.simulate.sketch.columns._CHUNK", 2000)
    np.testing.assert_allclose(draw_columns(places, np.ones(50), shape=SHAPE, sigma=2.0), whole, atol=1e-12)


@pytest.mark.parametrize("drift", [0.0, 2.0])
def test_truth_is_where_the_columns_appear(drift):
    image, truth = sketch_image(SPARSE, shape=(128, 128), rotation=0.3, drift=drift, rng=4)
    assert len(truth.sites) > 8
    for y, x in truth.sites[["y", "x"]].to_numpy():
        if 12 < y < 115 and 12 < x < 115:
            top, left = int(y) - 10, int(x) - 10
            seen = np.array([top, left]) + centroid(image.pixels[top : top + 21, left : left + 21])
            np.testing.assert_allclose(seen, (y, x), atol=0.02)


def test_pixel_size_sets_the_number_of_columns():
    shape, cell_area = (400, 400), 3.32**2 * np.sqrt(3) / 2
    for pixel_size in (0.1, 0.2, 0.4):
        _, truth = sketch_image("wse2", shape=shape, pixel_size=pixel_size, rng=0)
        expected = 2 * 400**2 * pixel_size**2 / cell_area
        assert len(truth.sites) == pytest.approx(expected, abs=4 * 400 * pixel_size / 3.32)


@pytest.mark.parametrize("rotation", [0.0, 0.2, 1.0, -2.0])
def test_rotation_turns_a_from_x_towards_y(rotation):
    _, truth = sketch_image(SPARSE, shape=(300, 300), pixel_size=0.2, rotation=rotation, rng=1)
    places = truth.sites[["y", "x"]].to_numpy()
    a = 40 * np.array([np.sin(rotation), np.cos(rotation)])
    start = places[np.argmin(((places - 150) ** 2).sum(axis=1))]
    assert np.abs(places - (start + a)).sum(axis=1).min() < 1e-6


def test_columns_beyond_the_frame_shine_into_it():
    image, _ = sketch_image("au100", shape=(200, 200), blur=0.9, rng=0)
    frame = np.concatenate([image.pixels[0], image.pixels[-1]]).mean()
    assert frame == pytest.approx(image.pixels.mean(), rel=0.1)


def test_blur_moves_no_intensity():
    sharp, blurred = (sketch_image("wse2", blur=blur, rng=0)[0].pixels for blur in (0.0, 0.8))
    assert sharp.max() == pytest.approx(1.0, abs=0.03)
    assert blurred.mean() == pytest.approx(sharp.mean(), rel=5e-3)
    assert blurred.max() < 0.6


def test_partial_vacancy_halves_and_vacancy_removes_the_column():
    _, truth = sketch_image("wse2", vacancies=0.02, partial_vacancies=0.1, rng=3)
    kinds = truth.sites.groupby("kind")["brightness"].agg(["min", "max"])
    assert kinds.loc["vacancy"].tolist() == [0.0, 0.0]
    assert kinds.loc["partial_vacancy"].tolist() == [0.3, 0.3]
    assert kinds.loc["none"].tolist() == [0.6, 1.0]


def test_vacancy_is_as_dark_as_a_hollow():
    image, truth = sketch_image("wse2", blur=0.0, vacancies=0.01, rng=3)
    inside = truth.defects.query("5 < y < 505 and 5 < x < 505")
    at_vacancies = image.pixels[inside["y"].round().astype(int), inside["x"].round().astype(int)]
    assert at_vacancies.max() < 0.1


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    options = {
        "shape": (96, 96),
        "dose": 1e4,
        "vacancies": 0.02,
        "drift": 1.0,
        "jitter": 0.2,
        "contamination": 0.1,
    }
    first, again, other = (sketch_image("wse2", **options, rng=seed) for seed in (5, 5, 6))
    assert first[0].pixels.tobytes() == again[0].pixels.tobytes()
    assert first[1].sites.equals(again[1].sites)
    assert first[0].pixels.tobytes() != other[0].pixels.tobytes()


def test_dose_and_contamination_leave_the_scene_alone():
    quiet = sketch_image("wse2", shape=(96, 96), vacancies=0.05, rng=5)[1]
    loud = sketch_image(
        "wse2", shape=(96, 96), vacancies=0.05, blur=0.5, dose=1e3, contamination=0.5, jitter=0.3, rng=5
    )[1]
    assert quiet.sites.equals(loud.sites)


def test_eight_bits_fill_the_range_with_whole_numbers():
    pixels = sketch_image("wse2", shape=(96, 96), bits=8, rng=0)[0].pixels
    assert (pixels.min(), pixels.max()) == (0, 255)
    assert np.array_equal(pixels, np.round(pixels))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crystal": "wse3"}, r"sketch must be one of au100, .*, wse2, got 'wse3'"),
        ({"pixel_size": 0.0}, r"pixel_size must be positive and finite \[Å/px\], got 0"),
        ({"dose": 0.0}, r"dose must be positive \[e/Å²\], got 0"),
        ({"vacancies": 2.0}, r"the share of vacancy sites must be 0 to 1, got 2"),
        ({"bits": 64}, r"bits must be 1 to 16 \(0: none\), got 64"),
    ],
)
def test_nonsense_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        sketch_image(**({"shape": (32, 32), "rng": 0} | options))
