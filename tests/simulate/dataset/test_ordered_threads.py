import threading
import time

import pytest

from antisite.simulate.dataset.ordered_threads import in_order


def test_order_is_that_of_the_numbers_however_long_each_takes():
    def make(number):
        time.sleep(0.002 * (5 - number % 5))
        return number

    assert list(in_order(make, 3, 20, workers=4)) == list(range(3, 20))


def test_endless_items_are_made_only_as_far_as_they_are_taken():
    made = []

    def make(number):
        made.append(number)
        return number

    items = in_order(make, workers=2)
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    items.close()
    assert max(made) <= 3 + 2 * 2


def test_items_are_made_in_as_many_threads_as_asked_for():
    together = threading.Barrier(3, timeout=10)
    assert len(list(in_order(lambda number: together.wait(), 0, 3, workers=3))) == 3


def test_a_failure_ends_the_stream_where_it_stands():
    items = in_order(lambda number: 1 / (2 - number), 0, 9, workers=2)
    assert [next(items), next(items)] == [0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(items)
