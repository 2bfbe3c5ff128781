"""Who comes first gets the lock first."""

import threading
import time

from interface.safety.fair_lock import FairLock


def test_in_the_order_of_arrival_one_at_a_time():
    lock, order, inside = FairLock(), [], []

    def work(number):
        with lock:
            inside.append(number)
            assert len(inside) == 1
            order.append(number)
            inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    with lock:
        for thread in threads:
            thread.start()
            while len(lock._waiting) < thread_number(threads, thread):
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(20))


def thread_number(threads, thread):
    return threads.index(thread) + 1


def test_one_that_comes_back_at_once_waits_behind_the_others():
    """As a batch does between two of its photos; `threading.Lock` lets it through every time."""
    lock, order, stop = FairLock(), [], threading.Event()

    def greedy():
        while not stop.is_set():
            with lock:
                order.append("greedy")
                time.sleep(0.005)

    batch = threading.Thread(target=greedy)
    batch.start()
    for _ in range(5):
        with lock:
            order.append("visitor")
        time.sleep(0.001)
    stop.set()
    batch.join()
    between = "".join(word[0] for word in order).strip("g").split("v")
    assert all(len(part) <= 2 for part in between)
