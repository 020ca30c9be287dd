"""Readings per second of the simulator on one core: plant alone, with the radio link, with anomalies.

A reading is one row: all channels of one device at one step. Time by the clock on the wall suffers from whatever
else runs on the core; processor time (one thread) does not.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.record import write_record

from redshank.simulate import simulate

CASES = {
    "plant alone": {"link": None, "anomalies_per_device_week": 0.0},
    "plant and radio link": {"anomalies_per_device_week": 0.0},
    "plant, radio link, 3 anomalies a device and week": {},
}
SHAPES = {
    "100 devices, 168 h": (100, 168.0),
    "1,000 devices, 16.8 h": (1_000, 16.8),
    "1 device, 16,800 h": (1, 16_800),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    results = {}
    for shape, (devices, hours) in SHAPES.items():
        for case, settings in CASES.items():
            wall, cpu = [], []
            for seed in range(repeats):
                start, start_cpu = time.perf_counter(), time.process_time()
                simulation = simulate(devices, hours, seed=seed, **settings)
                wall.append(time.perf_counter() - start)
                cpu.append(time.process_time() - start_cpu)
            rows, channels = len(simulation.readings), simulation.readings.shape[1]
            best = min(wall)
            results[f"{case}; {shape}"] = {
                "rows": rows,
                "channels": channels,
                "seconds_best": round(best, 4),
                "seconds_median": round(statistics.median(wall), 4),
                "cpu_seconds_best": round(min(cpu), 4),
                "readings_per_cpu_s_best": round(rows / min(cpu)),
                "readings_per_s_best": round(rows / best),
                "readings_per_s_median": round(rows / statistics.median(wall)),
                "values_per_cpu_s_best": round(rows * channels / min(cpu)),
            }
            print(
                f"{shape:>22}  {case:<50} {rows / best / 1e6:5.2f} M readings/s best, "
                f"{rows / statistics.median(wall) / 1e6:.2f} median, {rows / min(cpu) / 1e6:.2f} by processor time"
            )
    write_record("speed-simulate", cores_used=1, repeats=repeats, seeds=list(range(repeats)), results=results)


if __name__ == "__main__":
    main()
